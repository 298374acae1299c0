/* Counts the calls by which a program touches disk and network, and kills it or fails it at one of them.
 *
 * To be loaded with LD_PRELOAD; the program itself needs no hook and knows nothing of it. Calls are counted in all threads
 * together, so that the n-th of one run is the n-th of the next.
 *
 *   TROUBLE_LOG    a file; every call is a line "NUMBER CALL ABOUT", written before it is carried out
 *   TROUBLE_AT     "NUMBER CALL WHAT": at the first such call from this number on. WHAT is `kill` (instead of the call),
 *                  `half` (after half of its bytes), `stop` (until somebody says go on), a number of errno, or that with a
 *                  `+` (all such calls from then on)
 *   TROUBLE_CLOCK  seconds by which the clock on the wall is ahead
 *
 * Without TROUBLE_LOG nothing is counted. Who sleeps for half a second or longer does so forty times faster.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define FASTER 40

static atomic_int number, hit;
static atomic_llong slept; /* nanoseconds */

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void die(void) {
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;) syscall(SYS_pause);
}

static void note(int n, const char *call, const char *about) {
    char line[600];
    int length = snprintf(line, sizeof line, "%d %s %.500s\n", n, call, about);
    int how = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;
    int log = syscall(SYS_openat, AT_FDCWD, getenv("TROUBLE_LOG"), how, 0600);
    syscall(SYS_write, log, line, length);
    syscall(SYS_close, log);
}

/* What becomes of a call. 0: it is carried out. 1: half of it is, and that was all. -1: it fails, errno is set. */
static int trouble(const char *call, const char *about) {
    if (!getenv("TROUBLE_LOG")) return 0;
    int before = errno, n = ++number, at;
    note(n, call, about);
    errno = before;
    char where[40], what[40];
    const char *asked = getenv("TROUBLE_AT");
    if (!asked || sscanf(asked, "%d %39s %39s", &at, where, what) != 3) return 0;
    if (n < at || strcmp(call, where) || (hit && !strchr(what, '+'))) return 0;
    hit = 1;
    if (!strcmp(what, "kill")) die();
    if (!strcmp(what, "half")) return 1;
    if (!strcmp(what, "stop")) return syscall(SYS_kill, getpid(), SIGSTOP);
    errno = atoi(what);
    return -1;
}

/* A connection that fails is no connection any more. */
static int hung_up(int fd) {
    int why = errno;
    shutdown(fd, SHUT_RDWR);
    errno = why;
    return -1;
}

static const char *name_of(int fd, char *name, size_t size) {
    char link[40];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, name, size - 1);
    name[length > 0 ? length : 0] = 0;
    return name;
}

#define NAME(fd) name_of(fd, (char[400]){0}, 400)

#define WRAP(name, call, about, parameters, arguments)   \
    int name parameters {                                \
        int troubled = trouble(call, about);             \
        if (troubled > 0) die();                         \
        return troubled ? -1 : REAL(name) arguments;     \
    }
WRAP(fsync, "fsync", NAME(fd), (int fd), (fd))
WRAP(fdatasync, "fdatasync", NAME(fd), (int fd), (fd))
WRAP(ftruncate, "ftruncate", NAME(fd), (int fd, off_t to), (fd, to))
WRAP(ftruncate64, "ftruncate", NAME(fd), (int fd, off64_t to), (fd, to))
WRAP(flock, "flock", NAME(fd), (int fd, int how), (fd, how))
WRAP(rename, "rename", to, (const char *from, const char *to), (from, to))
WRAP(unlink, "unlink", path, (const char *path), (path))
WRAP(unlinkat, "unlinkat", path, (int at, const char *path, int how), (at, path, how))
WRAP(mkdir, "mkdir", path, (const char *path, mode_t mode), (path, mode))
WRAP(connect, "connect", NAME(fd), (int fd, const struct sockaddr *to, socklen_t size), (fd, to, size))
WRAP(rmdir, "rmdir", path, (const char *path), (path))

#define OPEN(name)                                                      \
    int name(const char *path, int flags, ...) {                        \
        va_list rest;                                                   \
        va_start(rest, flags);                                          \
        mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;       \
        va_end(rest);                                                   \
        int troubled = flags & O_CREAT ? trouble("openat", path) : 0;   \
        if (troubled > 0) die();                                        \
        return troubled ? -1 : REAL(name)(path, flags, mode);           \
    }
OPEN(open)
OPEN(open64)

#define HALVED(name, call, about, failed, parameters, arguments, half) \
    ssize_t name parameters {                                    \
        int troubled = trouble(call, about);                     \
        if (troubled > 0) {                                      \
            REAL(name) half;                                     \
            die();                                               \
        }                                                        \
        return troubled ? failed : REAL(name) arguments;         \
    }
HALVED(write, "write", NAME(fd), -1, (int fd, const void *data, size_t size), (fd, data, size), (fd, data, size / 2))
HALVED(pwrite, "pwrite64", NAME(fd), -1, (int fd, const void *data, size_t size, off_t at),
       (fd, data, size, at), (fd, data, size / 2, at))
HALVED(pwrite64, "pwrite64", NAME(fd), -1, (int fd, const void *data, size_t size, off64_t at),
       (fd, data, size, at), (fd, data, size / 2, at))
HALVED(recv, "recvfrom", NAME(fd), hung_up(fd), (int fd, void *data, size_t size, int how), (fd, data, size, how), (fd, data, 1, how))

/* Of what is sent, the first line: "POST /api/service/users HTTP/1.1"; of a body, nothing. */
static const char *first_line(const char *data, size_t size, char *line) {
    size_t length = 0;
    while (length < size && length < 199 && (unsigned char)data[length] >= ' ' && data[length] != '{') length++;
    memcpy(line, data, length);
    line[length] = 0;
    return line;
}
HALVED(send, "sendto", first_line(data, size, (char[200]){0}), hung_up(fd), (int fd, const void *data, size_t size, int how),
       (fd, data, size, how), (fd, data, size / 2, how))

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = syscall(SYS_clock_gettime, clock, now);
    if (clock == CLOCK_REALTIME) {
        const char *ahead = getenv("TROUBLE_CLOCK");
        long long more = slept + now->tv_nsec;
        now->tv_sec += (ahead ? atoll(ahead) : 0) + more / 1000000000;
        now->tv_nsec = more % 1000000000;
    }
    return result;
}

/* Long sleeps are quick: by the clock they take as long as ever. Short ones are not, since then somebody waits for a process. */
int clock_nanosleep(clockid_t clock, int how, const struct timespec *until, struct timespec *left) {
    struct timespec now = {0};
    if (how & TIMER_ABSTIME) syscall(SYS_clock_gettime, clock, &now);
    long long span = (until->tv_sec - now.tv_sec) * 1000000000LL + until->tv_nsec - now.tv_nsec;
    if (span < 400000000LL) return REAL(clock_nanosleep)(clock, how, until, left);
    long long nap = span / FASTER;
    slept += span - nap;
    return REAL(clock_nanosleep)(clock, 0, &(struct timespec){nap / 1000000000, nap % 1000000000}, NULL);
}
