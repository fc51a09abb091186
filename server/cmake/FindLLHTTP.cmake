# Finds llhttp and defines the target LLHTTP::llhttp.
#
# Debian 13 has libllhttp-dev, a library. Debian 12 has only the sources, in node-llhttp; they are
# compiled with LLHTTP_STRICT_MODE=1, because that generation of llhttp takes bare CR and worse
# without it (the macro changes nothing in later ones).
find_path(LLHTTP_INCLUDE_DIR llhttp.h PATHS /usr/share/include/llhttp)
find_library(LLHTTP_LIBRARY NAMES libllhttp.a llhttp)
find_path(LLHTTP_SOURCE_DIR llhttp.c PATHS /usr/share/llhttp)
mark_as_advanced(LLHTTP_INCLUDE_DIR LLHTTP_LIBRARY LLHTTP_SOURCE_DIR)

if(LLHTTP_LIBRARY)
  set(_llhttp_from LLHTTP_LIBRARY)
else()
  set(_llhttp_from LLHTTP_SOURCE_DIR)
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LLHTTP REQUIRED_VARS ${_llhttp_from} LLHTTP_INCLUDE_DIR)

if(LLHTTP_FOUND AND NOT TARGET LLHTTP::llhttp)
  if(LLHTTP_LIBRARY)
    add_library(LLHTTP::llhttp UNKNOWN IMPORTED)
    set_target_properties(LLHTTP::llhttp PROPERTIES IMPORTED_LOCATION ${LLHTTP_LIBRARY}
                          INTERFACE_INCLUDE_DIRECTORIES ${LLHTTP_INCLUDE_DIR})
  else()
    add_library(pl_llhttp STATIC ${LLHTTP_SOURCE_DIR}/api.c ${LLHTTP_SOURCE_DIR}/http.c
                ${LLHTTP_SOURCE_DIR}/llhttp.c)
    target_compile_definitions(pl_llhttp PUBLIC LLHTTP_STRICT_MODE=1)
    target_include_directories(pl_llhttp SYSTEM PUBLIC ${LLHTTP_INCLUDE_DIR})
    target_compile_options(pl_llhttp PRIVATE -O2 -w)
    add_library(LLHTTP::llhttp ALIAS pl_llhttp)
  endif()
endif()
