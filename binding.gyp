{
  "variables": {
    # npm run native -- --sanitize=address,undefined | thread, --coverage=true, --werror=true
    "sanitize%": "",
    "coverage%": "false",
    "werror%": "false"
  },
  "targets": [
    {
      "target_name": "mmap_native",
      "sources": ["<!@(node scripts/sources.cjs)"],
      "include_dirs": ["src"],
      "defines": [
        "NAPI_VERSION=9",
        "NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS",
        "NODE_ADDON_API_DISABLE_DEPRECATED",
        "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS",
        "SOURCE_HASH=\"<!(node scripts/source-hash.cjs)\""
      ],
      # off_t has 64 bits on every arch built here; without these the symbols are the
      # plain ones (mmap, not mmap64), which every libc has.
      "defines!": ["_FILE_OFFSET_BITS=64", "_LARGEFILE_SOURCE"],
      "cflags": [
        "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Wno-missing-field-initializers",
        "-fstack-protector-strong"
      ],
      "cflags!": ["-Wno-unused-parameter"],
      # Never unloaded: a SharedArrayBuffer's finalizer may run after the worker that loaded this has ended.
      "ldflags": ["-Wl,-z,nodelete"],
      # -isystem: our warnings are for our own code
      "cflags_cc": [
        "-isystem", "<(module_root_dir)/<!(node -p \"require('node-addon-api').include_dir\")",
        "-std=c++20", "-fvisibility=hidden", "-fvisibility-inlines-hidden"
      ],
      "cflags_cc!": ["-std=gnu++17", "-std=gnu++20"],
      "conditions": [
        ["werror=='true'", { "cflags": ["-Werror"] }],
        ["target_arch=='x64'", { "cflags": ["-fcf-protection=full"] }],
        # Outlined atomics are libgcc's, which has no branch protection and asks glibc for a private name.
        ["target_arch=='arm64'", { "cflags": ["-mbranch-protection=standard", "-mno-outline-atomics"] }],
        ["coverage=='true'", {
          "cflags": ["--coverage", "-O0"],
          "cflags!": ["-O3"],
          "ldflags": ["--coverage"]
        }],
        ["sanitize!=''", {
          "cflags": ["-fsanitize=<(sanitize)", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer", "-g", "-O1"],
          "cflags!": ["-O3"],
          "ldflags": ["-fsanitize=<(sanitize)"]
        }],
        # The shipped build: no C++ runtime, no libc version, no library at all in
        # DT_NEEDED; node (or bun, or deno) has its libc loaded already, glibc or musl.
        ["sanitize=='' and coverage!='true'", {
          "sources": ["src/runtime.cc"],
          "cflags": [
            "-O2", "-ffile-prefix-map=<(module_root_dir)=.", "-ffunction-sections", "-fdata-sections",
            "-fstack-clash-protection", "-fno-unwind-tables", "-fno-asynchronous-unwind-tables"
          ],
          "cflags!": ["-O3"],
          "cflags_cc": ["-fno-threadsafe-statics"],
          "ldflags!": ["-rdynamic", "-pthread"],
          "ldflags": [
            "-nostdlib",
            "-Wl,--version-script=<(module_root_dir)/src/exports.map",
            "-Wl,--gc-sections", "-Wl,-O1", "-Wl,--build-id=none",
            "-Wl,-z,relro,-z,now,-z,noexecstack"
          ],
          "libraries": ["-lgcc"]
        }]
      ]
    }
  ]
}
