// What C does with the same kernel: cc -O2 native.c && ./a.out futex|pipe COUNT, ring|memcpy SIZE COUNT
// futex and pipe take two more numbers: the cores that the two processes are to run on.
//
// futex, pipe: a round trip between two processes, in microseconds: the median, and the 99th percentile.
// ring: messages a second through the layout of lib/ipc/layout.ts, one copy in, and looked at where they lie.
// memcpy: messages a second that are only copied, within one process, over the same ring.
#define _GNU_SOURCE
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_BYTES = 4096, TAIL = 32, CONSUMER_BELL = 64, HEAD = 96, PRODUCER_BELL = 128 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void futex(_Atomic uint32_t *word, int op, uint32_t value) { syscall(SYS_futex, word, op, value, NULL, NULL, 0); }

static int by_value(const void *a, const void *b) {
  const double d = *(const double *)a - *(const double *)b;
  return d < 0 ? -1 : d > 0;
}

static void report(double *times, size_t count) {
  qsort(times, count, sizeof *times, by_value);
  printf("%.3f %.3f\n", times[count / 2], times[count * 99 / 100]);
}

static int cores[2] = {-1, -1};

static void settle(int which) {
  if (cores[which] < 0) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cores[which], &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) exit(1);
}

// Two words: odd turns are one side's.
static void turn(_Atomic uint32_t *word, uint32_t mine) {
  uint32_t seen;
  while ((seen = atomic_load(word)) != mine) futex(word, FUTEX_WAIT, seen);
}

static void round_trips_futex(size_t count, double *times) {
  _Atomic uint32_t *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (fork() == 0) {
    settle(1);
    for (uint32_t i = 0; i < count; i++) {
      turn(word, 2 * i + 1);
      atomic_store(word, 2 * i + 2);
      futex(word, FUTEX_WAKE, 1);
    }
    _exit(0);
  }
  settle(0);
  for (uint32_t i = 0; i < count; i++) {
    const double began = now();
    atomic_store(word, 2 * i + 1);
    futex(word, FUTEX_WAKE, 1);
    turn(word, 2 * i + 2);
    times[i] = now() - began;
  }
  wait(NULL);
}

static void round_trips_pipe(size_t count, double *times) {
  int to[2], from[2];
  char byte = 0;
  if (pipe(to) != 0 || pipe(from) != 0) exit(1);
  if (fork() == 0) {
    settle(1);
    for (size_t i = 0; i < count; i++)
      if (read(to[0], &byte, 1) != 1 || write(from[1], &byte, 1) != 1) _exit(1);
    _exit(0);
  }
  settle(0);
  for (size_t i = 0; i < count; i++) {
    const double began = now();
    if (write(to[1], &byte, 1) != 1 || read(from[0], &byte, 1) != 1) exit(1);
    times[i] = now() - began;
  }
  wait(NULL);
}

static uint32_t *map_ring(size_t bytes) {
  const int fd = memfd_create("ring", 0);
  if (fd < 0 || ftruncate(fd, (off_t)(HEAD_BYTES + bytes)) != 0) exit(1);
  char *base = mmap(NULL, HEAD_BYTES + 2 * bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  mmap(base, HEAD_BYTES + bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
  mmap(base + HEAD_BYTES + bytes, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, HEAD_BYTES);
  return (uint32_t *)base;
}

static uint32_t arm(_Atomic uint32_t *bell) {
  uint32_t seen = atomic_load(bell);
  while ((seen & 1) == 0 && !atomic_compare_exchange_weak(bell, &seen, seen + 1)) {
  }
  return seen | 1;
}

static void ring(_Atomic uint32_t *bell) {
  if ((atomic_load(bell) & 1) == 0) return;
  atomic_fetch_add(bell, 1);
  futex(bell, FUTEX_WAKE, INT_MAX);
}

static void through_ring(size_t size, size_t count) {
  size_t bytes = 1 << 20;
  while (bytes < 4 * (size + 8)) bytes *= 2;
  uint32_t *words = map_ring(bytes);
  _Atomic uint32_t *shared = (_Atomic uint32_t *)words;
  char *data = (char *)words + HEAD_BYTES;
  const uint32_t frame = (uint32_t)(8 + ((size + 7) & ~(size_t)7));
  char *message = malloc(size);
  memset(message, 1, size);
  const double began = now();
  if (fork() == 0) {
    uint32_t head = 0, tail = 0, sum = 0, released = 0;
    for (size_t i = 0; i < count; i++) {
      while (head == tail) {
        if (released != head) {
          atomic_store(&shared[HEAD], released = head);
          ring(&shared[PRODUCER_BELL]);
        }
        if ((tail = atomic_load(&shared[TAIL])) != head) break;
        const uint32_t key = arm(&shared[CONSUMER_BELL]);
        if ((tail = atomic_load(&shared[TAIL])) != head) break;
        futex(&shared[CONSUMER_BELL], FUTEX_WAIT, key);
      }
      sum += (uint8_t)data[(head & (bytes - 1)) + 8];
      head += frame;
      if (head - released >= bytes / 8) {
        atomic_store(&shared[HEAD], released = head);
        ring(&shared[PRODUCER_BELL]);
      }
    }
    _exit(sum == (uint32_t)count ? 0 : 1);
  }
  uint32_t tail = 0, head = 0;
  for (size_t i = 0; i < count; i++) {
    while (bytes - (tail - head) < frame) {
      if (bytes - (tail - (head = atomic_load(&shared[HEAD]))) >= frame) break;
      const uint32_t key = arm(&shared[PRODUCER_BELL]);
      if (bytes - (tail - (head = atomic_load(&shared[HEAD]))) >= frame) break;
      futex(&shared[PRODUCER_BELL], FUTEX_WAIT, key);
    }
    char *at = data + (tail & (bytes - 1));
    memcpy(at + 8, message, size);
    *(uint32_t *)at = (uint32_t)size;
    atomic_store(&shared[TAIL], tail += frame);
    ring(&shared[CONSUMER_BELL]);
  }
  int status = 0;
  wait(&status);
  if (status != 0) exit(1);
  printf("%.0f\n", (double)count / (now() - began) * 1e6);
}

static void only_copy(size_t size, size_t count) {
  size_t bytes = 1 << 20;
  while (bytes < 4 * (size + 8)) bytes *= 2;
  char *data = (char *)map_ring(bytes) + HEAD_BYTES;
  char *message = malloc(size);
  memset(message, 1, size);
  memset(data, 0, bytes);
  const double began = now();
  uint32_t tail = 0;
  for (size_t i = 0; i < count; i++) {
    memcpy(data + (tail & (bytes - 1)) + 8, message, size);
    __asm__ volatile("" ::: "memory");
    tail += (uint32_t)(8 + ((size + 7) & ~(size_t)7));
  }
  printf("%.0f\n", (double)count / (now() - began) * 1e6);
}

int main(int argc, char **argv) {
  const char *what = argc > 2 ? argv[1] : "";
  const size_t a = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
  const size_t b = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
  if (strcmp(what, "ring") == 0) return through_ring(a, b), 0;
  if (strcmp(what, "memcpy") == 0) return only_copy(a, b), 0;
  for (int i = 0; i < 2 && argc > 4; i++) cores[i] = atoi(argv[3 + i]);
  double *times = malloc((a + 1) * sizeof *times);
  if (strcmp(what, "futex") == 0) return round_trips_futex(a, times), report(times, a), 0;
  if (strcmp(what, "pipe") == 0) return round_trips_pipe(a, times), report(times, a), 0;
  fprintf(stderr, "usage: native futex|pipe COUNT [CORE CORE], ring|memcpy SIZE COUNT\n");
  return 2;
}
