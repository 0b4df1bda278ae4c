# Reads a file as GitLab does and prints what it counts: gitlab.rb FOLDER-OF-GITLAB FILE
require 'digest'
require 'active_support'
require 'active_support/core_ext/hash/conversions'
require 'active_support/core_ext/object/blank'
require 'nokogiri'

ActiveSupport::XmlMini.backend = 'Nokogiri' # as GitLab sets it

folder, file = ARGV
%w[parsers/parser_error reports/test_case reports/test_suite parsers/test/junit].each do |part|
  require File.join(File.expand_path(folder), 'lib/gitlab/ci', part)
end

suite = Gitlab::Ci::Reports::TestSuite.new('kassay')
Gitlab::Ci::Parsers::Test::Junit.new.parse!(File.read(file), suite, job: nil)
abort suite.suite_error if suite.suite_error

wrong = suite.failed.values + suite.error.values
# A person must find words, and no link that a guest made.
abort 'a failure without words' unless wrong.all? { |one| one.system_output.is_a?(String) && !one.system_output.empty? }
abort 'a skipped one without words' unless suite.skipped.values.all? { |one| one.system_output.is_a?(String) }
abort 'an attachment' if wrong.any?(&:has_attachment?)
counts = { error: suite.error_count, failed: suite.failed_count, skipped: suite.skipped_count,
           success: suite.success_count }
puts counts.reject { |_, count| count.zero? }.map { |status, count| "#{status}=#{count}" }.join(' ')
