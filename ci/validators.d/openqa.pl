# Reads a file as openQA does and prints what it counts: openqa.pl FOLDER-OF-OPENQA FORMAT FILE
use strict;
use warnings;
use v5.20;

BEGIN {
    my $folder = shift @ARGV;
    unshift @INC, "$folder/lib";
    # OpenQA::Parser takes one function of it, that finds what was stored; in what was just read there is nothing to
    # find, and with it would come the whole web server.
    $INC{'OpenQA/Utils.pm'} = 1;
    package OpenQA::Utils;
    our @EXPORT_OK = ('walker');
    require Exporter;
    our @ISA = ('Exporter');
    sub walker { }
}
use OpenQA::Parser 'parser';

my ($format, $file) = @ARGV;
my %count;
my $groups = 0;
parser($format => $file)->results->each(
    sub {
        my $result = shift;
        ++$groups;
        ++$count{"group-$result->{result}"};
        # Of a group without any it shows the log, as if that were a result with the group's name.
        ++$count{$_->{result}} for grep { $_->{title} ne $result->{name} } @{$result->{details} // []};
    });
say join ' ', "groups=$groups", map { "$_=$count{$_}" } sort keys %count;
