// LD_AUDIT=…: whoever asks for an external ArrayBuffer is told what Electron tells since its version 21: none are allowed.
#define _GNU_SOURCE
#include <link.h>
#include <string.h>

enum { kNoExternalBuffersAllowed = 22 };  // napi_status

static int Refuse(void) { return kNoExternalBuffersAllowed; }

unsigned la_version(unsigned version) { return version; }

unsigned la_objopen(struct link_map* map, Lmid_t lmid, uintptr_t* cookie) {
  (void)map, (void)lmid, (void)cookie;
  return LA_FLG_BINDTO | LA_FLG_BINDFROM;
}

uintptr_t la_symbind64(Elf64_Sym* symbol, unsigned index, uintptr_t* from, uintptr_t* to, unsigned* flags, const char* name) {
  (void)index, (void)from, (void)to, (void)flags;
  return strcmp(name, "napi_create_external_arraybuffer") == 0 ? (uintptr_t)Refuse : symbol->st_value;
}
