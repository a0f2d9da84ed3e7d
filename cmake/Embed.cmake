# embed_assets(TARGET): puts the files that the binary carries into TARGET, as one .incbin with a table of names (src/assets).
# web/docs/embed.mjs does the work: it needs node, and fetches Swagger UI and ReDoc with `npm ci` when they are not there yet.
find_program(NODE NAMES node nodejs REQUIRED)
find_program(NPM npm REQUIRED)

function(embed_assets target)
  set(docs ${PROJECT_SOURCE_DIR}/web/docs)
  set(out ${PROJECT_BINARY_DIR}/embedded)

  file(GLOB migrations CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/sqlite/migrations/*.sql)
  file(GLOB postgres_migrations CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/postgres/migrations/*.sql)
  file(GLOB pages CONFIGURE_DEPENDS ${docs}/pages/*)
  file(GLOB landing CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/web/landing/*)
  file(GLOB towns CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/demo/towns.tsv)

  set(named "openapi.yaml=${PROJECT_SOURCE_DIR}/api/openapi.yaml")
  foreach(pair "migrations/sqlite|migrations" "migrations/postgres|postgres_migrations" "docs|pages" "landing|landing" "demo|towns")
    string(REPLACE "|" ";" pair ${pair})
    list(GET pair 0 folder)
    list(GET pair 1 files)
    foreach(file IN LISTS ${files})
      get_filename_component(name ${file} NAME)
      list(APPEND named "${folder}/${name}=${file}")
    endforeach()
  endforeach()

  # As a file, so that a removed source rebuilds too, and no command line grows too long.
  list(JOIN named "\n" manifest)
  file(CONFIGURE OUTPUT ${out}/manifest.txt CONTENT "${manifest}\n" @ONLY)

  add_custom_command(
    OUTPUT ${out}/assets.S ${out}/asset_table.inc
    BYPRODUCTS ${out}/assets.bin
    COMMAND ${CMAKE_COMMAND} -E env "NPM=${NPM}" ${NODE} ${docs}/embed.mjs ${out}
    DEPENDS ${out}/manifest.txt ${docs}/embed.mjs ${docs}/package.json ${docs}/package-lock.json
            ${PROJECT_SOURCE_DIR}/api/openapi.yaml ${migrations} ${postgres_migrations} ${pages} ${landing} ${towns}
    COMMENT "Embedding migrations, pages and the OpenAPI document"
    VERBATIM)
  target_sources(${target} PRIVATE ${out}/assets.S ${out}/asset_table.inc)
  target_include_directories(${target} PRIVATE ${out})
endfunction()
