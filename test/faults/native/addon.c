// What the tests of faults need and JavaScript cannot do: threads of its own that touch a mapping, crashes that are
// nobody's business, signals that are sent, and handlers as other libraries install them.
#define _GNU_SOURCE
#include <errno.h>
#include <node_api.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { kMost = 64 };

static napi_value arguments(napi_env env, napi_callback_info info, size_t* count, napi_value* values) {
  napi_value self;
  napi_get_cb_info(env, info, count, values, &self, NULL);
  return self;
}

static int64_t integer(napi_env env, napi_value value) {
  int64_t number = 0;
  napi_get_value_int64(env, value, &number);
  return number;
}

static char* memory(napi_env env, napi_value value, size_t* length) {
  void* data = NULL;
  napi_get_typedarray_info(env, value, NULL, length, &data, NULL, NULL);
  return data;
}

static napi_value number(napi_env env, double value) {
  napi_value result;
  napi_create_double(env, value, &result);
  return result;
}

// --- threads

struct lane {
  pthread_t thread;
  volatile char* base;
  size_t length;
  size_t page;
  int64_t lane;
  int64_t rounds;
  int64_t round;
  uint64_t seed;
  uint64_t wrong;
};

static uint64_t draw(struct lane* lane) {
  lane->seed ^= lane->seed << 13;
  lane->seed ^= lane->seed >> 7;
  lane->seed ^= lane->seed << 17;
  return lane->seed;
}

static volatile uint64_t* word(const struct lane* lane, uint64_t page) {
  return (volatile uint64_t*)(lane->base + page * lane->page + (size_t)lane->lane * 64);
}

static uint64_t value_of(const struct lane* lane, uint64_t page, int64_t round) {
  return (uint64_t)(lane->lane + 1) << 56 | page << 24 | (uint64_t)round;
}

// Every page once, in an order of the lane's own.
static void* write_pages(void* data) {
  struct lane* lane = data;
  const uint64_t pages = lane->length / lane->page;
  const uint64_t start = draw(lane) % pages;
  for (uint64_t i = 0; i < pages; i++) {
    const uint64_t page = lane->lane % 2 == 0 ? (start + i) % pages : (start + pages - i) % pages;
    *word(lane, page) = value_of(lane, page, lane->round);
  }
  return NULL;
}

// Reads and writes at random, and looks that nothing but zero or what the lane wrote once is there.
static void* wander(void* data) {
  struct lane* lane = data;
  const uint64_t pages = lane->length / lane->page;
  for (int64_t round = 1; round <= lane->rounds; round++) {
    const uint64_t page = draw(lane) % pages;
    const uint64_t seen = *word(lane, page);
    if (seen != 0 && seen >> 24 != value_of(lane, page, 0) >> 24) lane->wrong++;
    if (draw(lane) % 4 != 0) *word(lane, page) = value_of(lane, page, round);
  }
  return NULL;
}

static void* read_pages(void* data) {
  struct lane* lane = data;
  for (size_t at = 0; at < lane->length; at += lane->page) lane->wrong += (uint64_t)(lane->base[at] != 0);
  return NULL;
}

static struct lane lanes[kMost];
static int64_t started;

// start(what, memory, threads, rounds, seed): 'write', 'wander' or 'read'
static napi_value start(napi_env env, napi_callback_info info) {
  napi_value values[5];
  size_t count = 5;
  arguments(env, info, &count, values);
  char what[16] = "";
  size_t length = 0;
  napi_get_value_string_utf8(env, values[0], what, sizeof what, NULL);
  char* base = memory(env, values[1], &length);
  started = integer(env, values[2]);
  void* (*body)(void*) = strcmp(what, "write") == 0 ? write_pages : strcmp(what, "read") == 0 ? read_pages : wander;
  for (int64_t i = 0; i < started && i < kMost; i++) {
    lanes[i] = (struct lane){.base = base, .length = length, .page = (size_t)sysconf(_SC_PAGESIZE), .lane = i};
    lanes[i].rounds = lanes[i].round = integer(env, values[3]);
    lanes[i].seed = (uint64_t)(integer(env, values[4]) + i) * 0x9e3779b97f4a7c15 + 1;
    pthread_create(&lanes[i].thread, NULL, body, &lanes[i]);
  }
  return NULL;
}

// join(): how often a thread saw what it should not
static napi_value join(napi_env env, napi_callback_info info) {
  (void)info;
  uint64_t wrong = 0;
  for (int64_t i = 0; i < started; i++) {
    pthread_join(lanes[i].thread, NULL);
    wrong += lanes[i].wrong;
  }
  started = 0;
  return number(env, (double)wrong);
}

// A thread whose signals are handled on as little as Deno gives: 8 KiB.
static void* on_small_stack(void* data) {
  struct lane* lane = data;
  char* stack = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  mprotect(stack, 4096, PROT_NONE);
  const stack_t alternate = {.ss_sp = stack + 4096, .ss_size = 8192};
  if (stack == MAP_FAILED || sigaltstack(&alternate, NULL) != 0) return NULL;
#if defined(__x86_64__)
  // the largest frame that there is: with all vector registers in use
  if (__builtin_cpu_supports("avx")) __asm__ volatile("vxorps %%ymm0, %%ymm0, %%ymm0" ::: "xmm0");
  if (__builtin_cpu_supports("avx512f"))
    __asm__ volatile(".byte 0x62,0xf3,0x7d,0x48,0x25,0xc0,0xff" ::: "memory");  // vpternlogd $255,%zmm0,%zmm0,%zmm0
#endif
  for (size_t at = 0; at < lane->length; at += lane->page) {
    lane->wrong += (uint64_t)(lane->base[at] != 0);
    lane->base[at] = 1;
  }
  const stack_t none = {.ss_flags = SS_DISABLE};
  sigaltstack(&none, NULL);
  munmap(stack, 3 * 4096);
  return lane;
}

// smallStack(memory): whether the thread got through
static napi_value small_stack(napi_env env, napi_callback_info info) {
  napi_value values[1];
  size_t count = 1;
  arguments(env, info, &count, values);
  struct lane lane = {.page = (size_t)sysconf(_SC_PAGESIZE)};
  lane.base = memory(env, values[0], &lane.length);
  void* done = NULL;
  pthread_create(&lane.thread, NULL, on_small_stack, &lane);
  pthread_join(lane.thread, &done);
  return number(env, done != NULL && lane.wrong == 0);
}

// --- the last area of address space

// atLimit(memory, offset): stores there while the process cannot have an area more; how many areas it took to get there
static napi_value at_limit(napi_env env, napi_callback_info info) {
  napi_value values[2];
  size_t count = 2;
  size_t length = 0;
  arguments(env, info, &count, values);
  volatile char* at = memory(env, values[0], &length) + integer(env, values[1]);
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  const size_t size = (size_t)1 << 30;
  char* filler = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  size_t used = 0;
  while (used < size && mprotect(filler + used, page, PROT_READ) == 0) used += 2 * page;
  *at = 1;
  munmap(filler, size);
  return number(env, (double)(used / page));
}

// --- an address that JavaScript has lost

static volatile char* held;

static napi_value hold(napi_env env, napi_callback_info info) {
  napi_value values[1];
  size_t count = 1;
  size_t length = 0;
  arguments(env, info, &count, values);
  held = memory(env, values[0], &length);
  return NULL;
}

static napi_value peek(napi_env env, napi_callback_info info) {
  napi_value values[1];
  size_t count = 1;
  arguments(env, info, &count, values);
  return number(env, held[integer(env, values[0])]);
}

static napi_value poke(napi_env env, napi_callback_info info) {
  napi_value values[2];
  size_t count = 2;
  arguments(env, info, &count, values);
  held[integer(env, values[0])] = (char)integer(env, values[1]);
  return NULL;
}

// --- crashes

static int deep(volatile int* outer) {
  volatile char room[4096];
  volatile int inner = *outer + 1;
  room[0] = (char)inner;
  return deep(&inner) + room[0];
}

static napi_value crash(napi_env env, napi_callback_info info) {
  napi_value values[1];
  size_t count = 1;
  char what[32] = "";
  arguments(env, info, &count, values);
  napi_get_value_string_utf8(env, values[0], what, sizeof what, NULL);
  volatile int zero = 0;
  if (strcmp(what, "null") == 0) *(volatile char*)(uintptr_t)zero = 1;
  if (strcmp(what, "wild") == 0) *(volatile char*)((uintptr_t)zero + 0x7f0000001000) = 1;
  if (strcmp(what, "non-canonical") == 0) *(volatile char*)((uintptr_t)zero + 0x8000000000000000) = 1;
  if (strcmp(what, "read-only") == 0) *(volatile char*)(uintptr_t)"constant" = 1;
  if (strcmp(what, "foreign-bus") == 0) {
    FILE* file = tmpfile();
    *(volatile char*)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(file), 0) = 1;
  }
  if (strcmp(what, "abort") == 0) abort();
  if (strcmp(what, "fpe") == 0) zero = 100 / zero;
  if (strcmp(what, "ill") == 0) __builtin_trap();
  if (strcmp(what, "stack") == 0) deep(&zero);
  if (strcmp(what, "raise-bus") == 0) raise(SIGBUS);
  if (strcmp(what, "raise-segv") == 0) raise(SIGSEGV);
  return NULL;
}

// --- signals

// sendFault(signal, code, memory, offset): to this thread, as the kernel sends them
static napi_value send_fault(napi_env env, napi_callback_info info) {
  napi_value values[4];
  size_t count = 4;
  arguments(env, info, &count, values);
  size_t length = 0;
  siginfo_t fault;
  memset(&fault, 0, sizeof fault);
  fault.si_signo = (int)integer(env, values[0]);
  fault.si_code = (int)integer(env, values[1]);
  fault.si_addr = memory(env, values[2], &length) + integer(env, values[3]);
  const long sent = syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), fault.si_signo, &fault);
  return number(env, (double)sent);
}

static struct sigaction before[kMost];
static volatile int handled;
static void* volatile escape;

static void say(const char* text) {
  if (write(2, text, strlen(text)) < 0) return;
}

static void chaining(int signal, siginfo_t* info, void* context) {
  handled++;
  const struct sigaction* next = &before[signal];
  if ((next->sa_flags & SA_SIGINFO) != 0) return next->sa_sigaction(signal, info, context);
  if (next->sa_handler != SIG_DFL && next->sa_handler != SIG_IGN) return next->sa_handler(signal);
  sigaction(signal, next, NULL);
}

// Makes the page at `escape` good, so that a fault of its own has an end.
static void own(int signal, siginfo_t* info, void* context) {
  (void)context;
  handled++;
  if (escape != NULL && info->si_addr == escape) {
    mprotect(escape, 4096, PROT_READ | PROT_WRITE);
    return;
  }
  say("foreign handler\n");
  signal == SIGBUS ? _exit(71) : _exit(72);
}

static void idle(int signal, siginfo_t* info, void* context) {
  (void)signal;
  (void)info;
  (void)context;
  handled++;
}

// install(kind, signal): 'chaining', 'own', 'idle', 'once' (own, SA_RESETHAND), 'default'
static napi_value install(napi_env env, napi_callback_info info) {
  napi_value values[2];
  size_t count = 2;
  char kind[16] = "";
  arguments(env, info, &count, values);
  napi_get_value_string_utf8(env, values[0], kind, sizeof kind, NULL);
  const int signal = (int)integer(env, values[1]);
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  if (strcmp(kind, "chaining") == 0) action.sa_sigaction = chaining;
  if (strcmp(kind, "own") == 0) action.sa_sigaction = own;
  if (strcmp(kind, "idle") == 0) action.sa_sigaction = idle;
  if (strcmp(kind, "once") == 0) {
    action.sa_sigaction = own;
    action.sa_flags |= (int)SA_RESETHAND;
  }
  if (strcmp(kind, "default") == 0) action.sa_flags = 0;
  sigaction(signal, &action, &before[signal]);
  return NULL;
}

// ownFault(): a fault that the handler 'own' cures; how often it was called
static napi_value own_fault(napi_env env, napi_callback_info info) {
  (void)info;
  handled = 0;
  escape = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  *(volatile char*)escape = 1;
  return number(env, handled);
}

static napi_value count_handled(napi_env env, napi_callback_info info) {
  (void)info;
  return number(env, handled);
}

NAPI_MODULE_INIT() {
  const struct {
    const char* name;
    napi_callback callback;
  } functions[] = {{"start", start},      {"join", join},          {"smallStack", small_stack},
                   {"atLimit", at_limit}, {"hold", hold},          {"peek", peek},
                   {"poke", poke},        {"crash", crash},        {"sendFault", send_fault},
                   {"install", install},  {"ownFault", own_fault}, {"countHandled", count_handled}};
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    napi_value function;
    napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].callback, NULL, &function);
    napi_set_named_property(env, exports, functions[i].name, function);
  }
  return exports;
}
