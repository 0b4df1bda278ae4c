// Where kassay finds its parts and keeps its state. The build folder has the layout of an installed
// prefix:
//   PREFIX/bin/kassay  PREFIX/libexec/kassay/{suites/NAME,guest-agent}
//   PREFIX/share/kassay/{vm,suites,results,...}
#pragma once

#include <filesystem>
#include <string>

namespace kassay {

// share/kassay of the prefix that the running program belongs to; $KASSAY_DATA_DIR overrides.
// Holds vm/ (kernels.toml, profiles/, kconfig/), suites/NAME/requirements.toml, fixtures/, levels/,
// results/; in a build folder ci/ too.
[[nodiscard]] std::filesystem::path DataDir();

// libexec/kassay of the prefix; $KASSAY_LIBEXEC_DIR overrides. Holds guest-agent, suites/NAME and
// fixtures/ (those that the build makes).
[[nodiscard]] std::filesystem::path LibexecDir();

// $KASSAY_CACHE_DIR, else $XDG_CACHE_HOME/kassay, else ~/.cache/kassay: kernels, snapshots; safe to
// delete.
[[nodiscard]] std::filesystem::path CacheDir();

// $KASSAY_STATE_DIR, else $XDG_STATE_HOME/kassay, else ~/.local/state/kassay: the history of runs.
[[nodiscard]] std::filesystem::path StateDir();

// The first executable of that name in the folders of $PATH (/usr/bin if it is not set); empty if
// there is none.
[[nodiscard]] std::filesystem::path FindProgram(const std::string& name);

}  // namespace kassay
