# Every conformance case is a CTest test of its own: conformance.SUITE.GROUP.CASE
#
#   ctest -L conformance                    all of them
#   ctest -R 'io_uring.*Inherit'            just those
#
# A fixture (conformance.prepare.SUITE) fetches the kernel, makes the snapshots and probes. Which cases there
# are is asked of the suite itself when ctest starts, after a change of the suite only.

# kassay_conformance_tests(PREFIX KERNEL NEEDS SUITE...): NEEDS is a fixture that must be set up before, or "".
function(kassay_conformance_tests PREFIX KERNEL NEEDS)
  string(MAKE_C_IDENTIFIER "${KERNEL}" KERNEL_NAME)
  foreach(SUITE ${ARGN})
    set(DIR ${CMAKE_BINARY_DIR}/conformance/${KERNEL_NAME}/${SUITE})
    set(INCLUDE ${CMAKE_BINARY_DIR}/conformance/${PREFIX}-${SUITE}-include.cmake)
    set(TESTS ${CMAKE_BINARY_DIR}/conformance/${PREFIX}-${SUITE}-tests-${KERNEL_NAME}.cmake)
    set(PROGRAM ${CMAKE_BINARY_DIR}/libexec/kassay/suites/${SUITE})
    file(CONFIGURE OUTPUT ${INCLUDE} @ONLY CONTENT [=[
if(NOT EXISTS "@PROGRAM@" OR NOT EXISTS "@CMAKE_BINARY_DIR@/bin/kassay")
  add_test(@PREFIX@.@SUITE@_NOT_BUILT @PREFIX@.@SUITE@_NOT_BUILT)
  set_tests_properties(@PREFIX@.@SUITE@_NOT_BUILT PROPERTIES LABELS @PREFIX@)
else()
  if(NOT EXISTS "@TESTS@" OR "@PROGRAM@" IS_NEWER_THAN "@TESTS@")
    execute_process(
      COMMAND "@CMAKE_BINARY_DIR@/bin/kassay" ctest-script --kernel "@KERNEL@" --suite "@SUITE@"
              --prefix "@PREFIX@" --needs "@NEEDS@" --dir "@DIR@" --output "@TESTS@"
      RESULT_VARIABLE CODE)
    if(NOT CODE EQUAL 0)
      message(FATAL_ERROR "the suite @SUITE@ cannot be listed")
    endif()
  endif()
  include("@TESTS@")
endif()
]=])
    set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY TEST_INCLUDE_FILES ${INCLUDE})
  endforeach()
endfunction()

get_property(SUITES GLOBAL PROPERTY KASSAY_SUITES)
kassay_conformance_tests(conformance ${KASSAY_CTEST_KERNEL} "" ${SUITES})

# What vendors' kernels leave out is tested on the reference kernel, which a fixture builds (once: it is cached).
#   ctest -L reference
option(KASSAY_CTEST_REFERENCE "Tests on the reference kernel; building it takes minutes" ON)
set(KASSAY_CTEST_REFERENCE_SUITES "mldsa" CACHE STRING "The suites that are tested on the reference kernel")
if(KASSAY_CTEST_REFERENCE)
  add_test(NAME reference.kernel COMMAND kassay kernel build 7.0 --quiet)
  set_tests_properties(reference.kernel PROPERTIES
    LABELS "reference;slow" FIXTURES_SETUP reference.kernel TIMEOUT 3600 RUN_SERIAL ON)
  # Vectors in the published formats, through every door that carries one.
  file(GLOB PUBLISHED ${CMAKE_SOURCE_DIR}/fixtures/published/*.json)
  add_test(NAME reference.vectors COMMAND kassay vectors --kernel reference:7.0 --quiet ${PUBLISHED})
  set_tests_properties(reference.vectors PROPERTIES
    LABELS "reference;slow" FIXTURES_REQUIRED reference.kernel TIMEOUT 600)
  foreach(SUITE ${KASSAY_CTEST_REFERENCE_SUITES})
    if(SUITE IN_LIST SUITES)
      kassay_conformance_tests(reference reference:7.0 reference.kernel ${SUITE})
    endif()
  endforeach()
endif()

# What `kassay run` takes, and nothing that only tests need.
set(SUITE_TARGETS ${SUITES})
list(TRANSFORM SUITE_TARGETS PREPEND suite_)
add_custom_target(conform DEPENDS kassay guest-agent ${SUITE_TARGETS})
if(TARGET selinux_policies)
  add_dependencies(conform selinux_policies)
endif()

# The suites hold themselves to the project's promises (harness/run/testing/suite_check.h).
list(JOIN SUITES " " SUITE_NAMES)
kassay_unit_test(project_test
  SOURCES ${CMAKE_SOURCE_DIR}/harness/run/findings_test.cc
    ${CMAKE_SOURCE_DIR}/harness/run/project_test.cc
    ${CMAKE_SOURCE_DIR}/harness/run/testing/suite_check.cc
    ${CMAKE_SOURCE_DIR}/harness/certify/levels_test.cc
  DEPENDS kassay_run kassay_certify)
add_dependencies(project_test ${SUITE_TARGETS})
target_compile_definitions(project_test PRIVATE
  KASSAY_FINDINGS="${CMAKE_SOURCE_DIR}/results/FINDINGS.md"
  KASSAY_BUILT_SUITES="${SUITE_NAMES}"
  KASSAY_BUILT_DATA_DIR="${CMAKE_BINARY_DIR}/share/kassay"
  KASSAY_BUILT_LIBEXEC_DIR="${CMAKE_BINARY_DIR}/libexec/kassay")

# What kassay does when its surroundings fail. Needs the kernel and boots it: label `slow`.
add_executable(robustness_test ${CMAKE_SOURCE_DIR}/harness/cli/robustness_test.cc)
target_link_libraries(robustness_test PRIVATE kassay_run kassay_unit_main)
add_dependencies(robustness_test conform)
set_target_properties(robustness_test PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/unit)
target_compile_definitions(robustness_test PRIVATE
  KASSAY_PROGRAM="${CMAKE_BINARY_DIR}/bin/kassay"
  KASSAY_DATA="${CMAKE_BINARY_DIR}/share/kassay"
  KASSAY_PINS="${CMAKE_SOURCE_DIR}/vm/kernels.toml"
  KASSAY_KERNEL="${KASSAY_CTEST_KERNEL}")
gtest_discover_tests(robustness_test TEST_PREFIX "robustness." DISCOVERY_TIMEOUT 60 DISCOVERY_MODE PRE_TEST
                     PROPERTIES LABELS slow TIMEOUT 1200 FIXTURES_REQUIRED conformance.io_uring)

# kassay on KVM, in an emulated machine that has it: ctest -L kvm
add_executable(on_kvm_test ${CMAKE_SOURCE_DIR}/harness/cli/on_kvm_test.cc)
target_link_libraries(on_kvm_test PRIVATE kassay_compare kassay_vm_testing kassay_unit_main)
add_dependencies(on_kvm_test conform snapshot_test)
set_target_properties(on_kvm_test PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
add_test(NAME kvm COMMAND on_kvm_test)
set_tests_properties(kvm PROPERTIES LABELS "kvm;slow" TIMEOUT 1800)
