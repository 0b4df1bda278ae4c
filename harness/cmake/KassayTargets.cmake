# The kinds of target that the tree is made of. Everything is compiled with warnings as errors.
#
#   kassay_library(NAME SOURCES a.cc ... [DEPENDS lib ...])       a host library (static), unit-testable
#   kassay_headers(NAME [DEPENDS lib ...])                        a host library of headers alone
#   kassay_program(NAME SOURCES a.cc ... [DEPENDS lib ...])       a host program in bin/
#   kassay_unit_test(NAME SOURCES a_test.cc ... [DEPENDS ...])    GoogleTest on the host, CTest label `unit`
#   kassay_fuzzer(NAME SOURCES a_fuzz.cc [DEPENDS ...])           libFuzzer target, only with KASSAY_FUZZ; label `fuzz`
#   kassay_suite(NAME [LIBRARIES lib ...])                        suites/NAME/*.cc as one guest executable

add_library(kassay_options INTERFACE)
target_compile_options(kassay_options INTERFACE -Wall -Wextra -Werror -Wshadow -Wnon-virtual-dtor
                       -Wno-missing-field-initializers)
target_include_directories(kassay_options INTERFACE ${CMAKE_SOURCE_DIR})

# Host code may be built with sanitizers; what runs in the guest never is (it would test the sanitizer's
# syscalls beside the kernel's).
add_library(kassay_host_options INTERFACE)
target_link_libraries(kassay_host_options INTERFACE kassay_options)
if(KASSAY_SANITIZE)
  target_compile_options(kassay_host_options INTERFACE
    -fsanitize=${KASSAY_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(kassay_host_options INTERFACE -fsanitize=${KASSAY_SANITIZE})
endif()
if(KASSAY_FUZZ)
  target_compile_options(kassay_host_options INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(kassay_host_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

function(kassay_library NAME)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_library(${NAME} STATIC ${ARG_SOURCES})
  target_link_libraries(${NAME} PUBLIC kassay_host_options ${ARG_DEPENDS})
endfunction()

function(kassay_headers NAME)
  cmake_parse_arguments(ARG "" "" "DEPENDS" ${ARGN})
  add_library(${NAME} INTERFACE)
  target_link_libraries(${NAME} INTERFACE kassay_host_options ${ARG_DEPENDS})
endfunction()

function(kassay_program NAME)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${NAME} ${ARG_SOURCES})
  target_link_libraries(${NAME} PRIVATE kassay_host_options ${ARG_DEPENDS})
endfunction()

include(GoogleTest)
# Their main(): a temporary folder for each process.
add_library(kassay_unit_main OBJECT ${CMAKE_SOURCE_DIR}/harness/base/testing/unit_main.cc)
target_link_libraries(kassay_unit_main PUBLIC kassay_host_options GTest::gmock)
function(kassay_unit_test NAME)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${NAME} ${ARG_SOURCES})
  target_link_libraries(${NAME} PRIVATE kassay_unit_main ${ARG_DEPENDS})
  set_target_properties(${NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/unit)
  gtest_discover_tests(${NAME} TEST_PREFIX "unit." DISCOVERY_TIMEOUT 60 DISCOVERY_MODE PRE_TEST
                       PROPERTIES LABELS unit TIMEOUT 120)
endfunction()

# What a fuzzer found worth keeping stays in fuzz/NAME.corpus of the build folder, what broke it in fuzz/NAME-*.
set(KASSAY_FUZZ_SECONDS 60 CACHE STRING "How long CTest runs each fuzzer")
if(KASSAY_FUZZ)
  add_custom_target(fuzzers)
endif()
function(kassay_fuzzer NAME)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  if(NOT KASSAY_FUZZ)
    return()
  endif()
  add_executable(${NAME} ${ARG_SOURCES})
  target_link_libraries(${NAME} PRIVATE kassay_host_options ${ARG_DEPENDS})
  target_link_options(${NAME} PRIVATE -fsanitize=fuzzer)
  set_target_properties(${NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
  set(CORPUS ${CMAKE_BINARY_DIR}/fuzz/${NAME}.corpus)
  file(MAKE_DIRECTORY ${CORPUS})
  add_dependencies(fuzzers ${NAME})
  add_test(NAME fuzz.${NAME} COMMAND ${NAME} -max_total_time=${KASSAY_FUZZ_SECONDS} -print_final_stats=1
           -artifact_prefix=${CMAKE_BINARY_DIR}/fuzz/${NAME}- ${CORPUS})
  math(EXPR LIMIT "${KASSAY_FUZZ_SECONDS} + 120")
  set_tests_properties(fuzz.${NAME} PROPERTIES LABELS fuzz TIMEOUT ${LIMIT})
endfunction()

# A suite: every *.cc of the calling folder, linked with the support library and GoogleTest.
# The executable lands in libexec/kassay/suites/NAME, from where the image builder takes it, and the folder is linked
# into share/kassay/suites. One of KASSAY_EXTRA_SUITES also gets a folder extra-suites/NAME with both, which
# `kassay --suites` takes on any installation.
function(kassay_suite NAME)
  cmake_parse_arguments(ARG "" "" "LIBRARIES" ${ARGN})
  file(GLOB SOURCES CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  add_executable(suite_${NAME} ${SOURCES})
  target_link_libraries(suite_${NAME} PRIVATE kassay_options kassay_suite_support ${ARG_LIBRARIES})
  # The guest has no debugger, and debugging information is nine tenths of what it would have to carry.
  target_link_options(suite_${NAME} PRIVATE -Wl,--strip-debug)
  set_target_properties(suite_${NAME} PROPERTIES
    OUTPUT_NAME ${NAME} RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/libexec/kassay/suites)
  set(LINKS ${CMAKE_BINARY_DIR}/share/kassay/suites)
  if(IS_SYMLINK ${LINKS}) # of a build folder from before there were extra suites
    file(REMOVE ${LINKS})
  endif()
  file(MAKE_DIRECTORY ${LINKS})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${LINKS}/${NAME} SYMBOLIC)
  cmake_path(IS_PREFIX CMAKE_SOURCE_DIR ${CMAKE_CURRENT_SOURCE_DIR} NORMALIZE IS_OURS)
  if(NOT IS_OURS)
    set(APART ${CMAKE_BINARY_DIR}/extra-suites/${NAME})
    add_custom_command(TARGET suite_${NAME} POST_BUILD
      COMMAND ${CMAKE_COMMAND} -E copy ${CMAKE_CURRENT_SOURCE_DIR}/requirements.toml $<TARGET_FILE:suite_${NAME}> ${APART}/)
    file(MAKE_DIRECTORY ${APART})
  endif()
  set_property(GLOBAL APPEND PROPERTY KASSAY_SUITES ${NAME})
endfunction()
