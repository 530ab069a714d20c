// Preloaded into a program under test: ends it with SIGKILL at the N-th call that would change a file of its
// data.
//
// KILL_AT names a file of two 64-bit numbers, shared with the test: the calls counted so far, and the one to
// die at (0: none). KILL_UNDER is the data directory; calls on blobs/, layers/ and state.db* below it are
// counted. The program dies before the call has any effect, but a write has written its first half, as a kill
// between two pages would leave it.
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

struct Shared {
  std::atomic<uint64_t> count;
  std::atomic<uint64_t> target;
};
static Shared* shared;
static char under[4096];
static size_t under_length;

__attribute__((constructor)) static void begin(void) {
  const char *file = getenv("KILL_AT"), *root = getenv("KILL_UNDER");
  unsetenv("LD_PRELOAD");  // the program's children live
  if (!file || !root) return;
  under_length = (size_t)snprintf(under, sizeof under, "%s", root);
  int fd = open(file, O_RDWR | O_CLOEXEC);
  void* map = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (fd >= 0) close(fd);
  if (map != MAP_FAILED) shared = static_cast<Shared*>(map);
}

static int counts(const char* path) {
  if (!shared || strncmp(path, under, under_length) != 0) return 0;
  const char* rest = path + under_length;
  return !strncmp(rest, "/blobs/", 7) || !strncmp(rest, "/layers/", 8) || !strncmp(rest, "/state.db", 9);
}

// True at the one call to die at.
static int due(const char* path) {
  if (!counts(path)) return 0;
  return shared->count.fetch_add(1) + 1 == shared->target.load();
}

static int due_fd(int fd) {
  char link[64], path[4096];
  if (!shared) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t size = readlink(link, path, sizeof path - 1);
  if (size < 0) return 0;
  path[size] = 0;
  return due(path);
}

static void die(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

#define REAL(name) (reinterpret_cast<__typeof__(&name)>(dlsym(RTLD_NEXT, #name)))

extern "C" {
int rename(const char* from, const char* to) noexcept {
  if (due(to)) die();
  return REAL(rename)(from, to);
}
int unlink(const char* path) noexcept {
  if (due(path)) die();
  return REAL(unlink)(path);
}
int unlinkat(int at, const char* path, int flags) noexcept {
  if (path[0] == '/' ? due(path) : due_fd(at)) die();
  return REAL(unlinkat)(at, path, flags);
}
int fdatasync(int fd) {
  if (due_fd(fd)) die();
  return REAL(fdatasync)(fd);
}
int fsync(int fd) {
  if (due_fd(fd)) die();
  return REAL(fsync)(fd);
}
int syncfs(int fd) noexcept {
  if (due_fd(fd)) die();
  return REAL(syncfs)(fd);
}
int ftruncate(int fd, off_t size) noexcept {
  if (due_fd(fd)) die();
  return REAL(ftruncate)(fd, size);
}
int ftruncate64(int fd, off64_t size) noexcept {
  if (due_fd(fd)) die();
  return REAL(ftruncate64)(fd, size);
}
ssize_t write(int fd, const void* bytes, size_t size) {
  if (due_fd(fd)) {
    REAL(write)(fd, bytes, size / 2);
    die();
  }
  return REAL(write)(fd, bytes, size);
}
ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
  if (due_fd(fd)) {
    REAL(pwrite)(fd, bytes, size / 2, at);
    die();
  }
  return REAL(pwrite)(fd, bytes, size, at);
}
ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t at) {
  if (due_fd(fd)) {
    REAL(pwrite64)(fd, bytes, size / 2, at);
    die();
  }
  return REAL(pwrite64)(fd, bytes, size, at);
}
}
