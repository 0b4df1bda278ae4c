// What differs between the machines that kernels are built for, in one value. Whoever depends on
// the machine takes it from here; the kernel under test brings its own (Kernel::architecture).
#pragma once

#include <elf.h>

#include <array>
#include <cstdint>
#include <string_view>

#include "harness/kernel/image_header.h"

namespace kassay {

struct Architecture {
  std::string_view name;    // uname -m; Debian's folders of libraries are lib/NAME-linux-gnu
  std::string_view debian;  // in the names of packages
  std::string_view words;   // what a program for it is, for a person
  std::uint16_t elf_machine;
  ImageKind shipped;         // the image that boots as the vendor ships it
  std::string_view console;  // the serial console's device
  // The kernel's words that spare it to measure its clock.
  std::string_view clock_words;
  std::string_view qemu;          // the program
  std::string_view qemu_package;  // Debian's package of it
  std::string_view qemu_machine;  // its -machine
  // UEFI firmware that can do Secure Boot, as Debian's package has it, the empty template of its
  // variable store, and the -machine and -global that it wants.
  std::string_view uefi_code;
  std::string_view uefi_variables;
  std::string_view uefi_package;
  std::string_view uefi_machine;
  std::string_view uefi_global;
  // In the text of QEMU's `info registers`: where a CPU is, and that it waits for work.
  std::string_view program_counter;
  std::string_view halted;
  // The lines of /proc/cpuinfo that say which CPU this is.
  std::array<std::string_view, 3> cpu_fields;
};

inline constexpr Architecture kX86_64 = {
    .name = "x86_64",
    .debian = "amd64",
    .words = "64-bit x86",
    .elf_machine = EM_X86_64,
    .shipped = ImageKind::kBzImage,
    .console = "ttyS0",
    .clock_words = "tsc=reliable no_timer_check",
    .qemu = "qemu-system-x86_64",
    .qemu_package = "qemu-system-x86",
    .qemu_machine = "pc,memory-backend=ram,usb=off,vmport=off,hpet=off,dump-guest-core=off",
    .uefi_code = "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd",
    .uefi_variables = "/usr/share/OVMF/OVMF_VARS_4M.fd",
    .uefi_package = "ovmf",
    // The store of variables is the firmware's alone: it writes to it in system management mode.
    .uefi_machine = "q35,smm=on,memory-backend=ram,usb=off,vmport=off,hpet=off,dump-guest-core=off",
    .uefi_global = "driver=cfi.pflash01,property=secure,value=on",
    .program_counter = "RIP=",
    .halted = "HLT=1",
    .cpu_fields = {"model name", "microcode", "flags"},
};

}  // namespace kassay
