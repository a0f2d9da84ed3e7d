# boxoffice_module(NAME [DEPENDS lib...]): every .cpp below src/NAME becomes the static library module_NAME. Third-party headers are
# SYSTEM, so that only our own code is warned about.
function(boxoffice_module name)
  cmake_parse_arguments(ARG "" "" "DEPENDS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp)
  add_library(module_${name} STATIC ${sources})
  target_include_directories(module_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(module_${name} PUBLIC ${ARG_DEPENDS})
endfunction()
