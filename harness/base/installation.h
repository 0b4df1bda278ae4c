// Where one installation of kassay has its parts and keeps its state. The command line makes the
// value and hands it down; nothing else looks at the environment for it. A build folder has the
// layout of an installed prefix:
//   PREFIX/bin/kassay  PREFIX/libexec/kassay/{guest-agent,suites/NAME,fixtures/}
//   PREFIX/share/kassay/{vm,suites,fixtures,levels,results}
#pragma once

#include <filesystem>
#include <vector>

namespace kassay {

struct Installation {
  // share/kassay: what is read. In a build folder ci/ too.
  std::filesystem::path data_dir;
  // libexec/kassay: what runs in a guest, or for one.
  std::filesystem::path libexec_dir;
  // Kernels, images, snapshots; safe to delete.
  std::filesystem::path cache_dir;
  // The history of runs.
  std::filesystem::path state_dir;
  // Folders of suites beside ours: NAME/requirements.toml and the executable NAME/NAME.
  std::vector<std::filesystem::path> suites_dirs;

  // That of the running program: its prefix, or $KASSAY_DATA_DIR and $KASSAY_LIBEXEC_DIR;
  // $KASSAY_CACHE_DIR, else $XDG_CACHE_HOME/kassay, else ~/.cache/kassay; $KASSAY_STATE_DIR, else
  // $XDG_STATE_HOME/kassay, else ~/.local/state/kassay.
  [[nodiscard]] static Installation OfThisProgram();

  [[nodiscard]] std::filesystem::path PinsFile() const { return data_dir / "vm" / "kernels.toml"; }
  [[nodiscard]] std::filesystem::path ProfilesDir() const { return data_dir / "vm" / "profiles"; }
  [[nodiscard]] std::filesystem::path KconfigDir() const { return data_dir / "vm" / "kconfig"; }
  [[nodiscard]] std::filesystem::path LevelsDir() const { return data_dir / "levels"; }
  [[nodiscard]] std::filesystem::path BaselinesDir() const {
    return data_dir / "results" / "baselines";
  }
  [[nodiscard]] std::filesystem::path FixturesDir() const { return data_dir / "fixtures"; }
  // Fixtures that the build makes.
  [[nodiscard]] std::filesystem::path BuiltFixturesDir() const { return libexec_dir / "fixtures"; }
  [[nodiscard]] std::filesystem::path Agent() const { return libexec_dir / "guest-agent"; }
  [[nodiscard]] std::filesystem::path KernelsDir() const { return cache_dir / "kernels"; }
  [[nodiscard]] std::filesystem::path ImagesDir() const { return cache_dir / "images"; }
  [[nodiscard]] std::filesystem::path SnapshotsDir() const { return cache_dir / "snapshots"; }
  [[nodiscard]] std::filesystem::path HistoryFile() const { return state_dir / "history.sqlite"; }
};

}  // namespace kassay
