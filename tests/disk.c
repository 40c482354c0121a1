/* A disk that fails on demand: a library for LD_PRELOAD that counts and logs the calls which change files under one folder, and
   lets the k-th fail. Linux only.

   disk_fail(folder, notes, k, how) starts it. `notes` gets a line for each call: its number, its name, the size of the file
   afterwards, and its paths; a file that the n-th call, a rename, overwrote is kept as `notes`.n. `how`: 0 nothing fails; 1 the
   process dies, a write having written half; 2 ENOSPC; 3 EIO; 4 a write writes half and returns that number. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NOTHING, CRASH, NO_SPACE, IO_ERROR, SHORT };
static char folder[PATH_MAX], book[PATH_MAX];
static int notes = -1, failing, how, calls;

void disk_fail(const char *under, const char *path, int k, int kind) {
    snprintf(folder, sizeof folder, "%s/", under);
    snprintf(book, sizeof book, "%s", path);
    notes = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644);
    failing = k, how = kind, calls = 0;
}

static int watched(const char *path) { return notes >= 0 && path && !strncmp(path, folder, strlen(folder)); }

static const char *named(int file, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    path[length < 0 ? 0 : length] = 0;
    return path;
}

static void note(const char *call, const char *path, const char *other) {
    char line[2 * PATH_MAX + 64];
    struct stat about = {0};
    stat(other[0] ? other : path, &about);
    int length = snprintf(line, sizeof line, "%d\t%s\t%lld\t%s\t%s\n", calls, call, (long long)about.st_size, path, other);
    syscall(SYS_write, notes, line, length);
}

/* Count a call. Returns whether it must fail, with errno set. */
static int fails(void) {
    if (++calls != failing) return 0;
    if (how == CRASH) kill(getpid(), SIGKILL);
    errno = how == IO_ERROR ? EIO : ENOSPC;
    return how == NO_SPACE || how == IO_ERROR;
}

#define REAL(name) static __typeof__(&name) real; if (!real) real = dlsym(RTLD_NEXT, #name)

ssize_t write(int file, const void *data, size_t size) {
    REAL(write);
    char path[PATH_MAX];
    if (!watched(named(file, path))) return real(file, data, size);
    if (calls + 1 == failing && (how == CRASH || how == SHORT)) {
        ssize_t half = real(file, data, size / 2);
        note("write", path, "");
        fails();
        return half;
    }
    if (fails()) return -1;
    ssize_t written = real(file, data, size);
    note("write", path, "");
    return written;
}

int fsync(int file) {
    REAL(fsync);
    char path[PATH_MAX], within[PATH_MAX];
    named(file, path);
    snprintf(within, sizeof within, "%.*s/", PATH_MAX - 2, path);
    if (!watched(within)) return real(file);
    if (fails()) return -1;
    note("fsync", path, "");
    return 0; /* no real sync: it would only slow thousands of rounds */
}

int rename(const char *from, const char *to) {
    REAL(rename);
    if (!watched(to)) return real(from, to);
    if (fails()) return -1;
    char before[PATH_MAX + 16];
    snprintf(before, sizeof before, "%s.%d", book, calls);
    link(to, before);
    int result = real(from, to);
    note("rename", from, to);
    return result;
}

static int made(const char *path, int flags) { return flags & O_CREAT && watched(path) && access(path, F_OK); }

static int opened(int (*real)(const char *, int, ...), const char *path, int flags, int mode) {
    if (!made(path, flags)) return real(path, flags, mode);
    if (fails()) return -1;
    int file = real(path, flags, mode);
    note("create", path, "");
    return file;
}

#define OPEN(name)                                                       \
    int name(const char *path, int flags, ...) {                         \
        REAL(name);                                                      \
        va_list more;                                                    \
        va_start(more, flags);                                           \
        int mode = flags & O_CREAT ? va_arg(more, int) : 0;              \
        va_end(more);                                                    \
        return opened(real, path, flags, mode);                          \
    }
OPEN(open)
OPEN(open64)

int mkdir(const char *path, mode_t mode) {
    REAL(mkdir);
    if (!watched(path) || !access(path, F_OK)) return real(path, mode);
    if (fails()) return -1;
    int result = real(path, mode);
    note("mkdir", path, "");
    return result;
}

int unlink(const char *path) {
    REAL(unlink);
    if (!watched(path)) return real(path);
    if (fails()) return -1;
    note("unlink", path, "");
    return real(path);
}
