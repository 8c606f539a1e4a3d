#define _GNU_SOURCE
#include "ccycle.h"

#include <dirent.h>
#include <fcntl.h>
#include <mariadb/mysql.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static MYSQL *connect_to(const char *socket, unsigned int port, const char *user, const char *password,
                         const char *database, int *error) {
    MYSQL *mysql = mysql_init(NULL);
    unsigned int off = 0;
    mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &off);
    mysql_options4(mysql, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "ccycle");
    if (!mysql_real_connect(mysql, socket ? NULL : "127.0.0.1", user, password, database, port, socket, 0)) {
        *error = (int)mysql_errno(mysql);
        mysql_close(mysql);
        return NULL;
    }
    return mysql;
}

static int run_query(MYSQL *mysql, const char *query) {
    if (mysql_real_query(mysql, query, strlen(query))) return (int)mysql_errno(mysql);
    MYSQL_RES *result = mysql_store_result(mysql);
    if (!result) return (int)mysql_errno(mysql);
    MYSQL_ROW row = mysql_fetch_row(result);
    int error = row && row[0] ? 0 : -1;
    mysql_free_result(result);
    return error;
}

static void close_confirmed(MYSQL *mysql, int watch) {
    char rest[512];
    struct pollfd request = {watch, POLLIN, 0};
    mysql_close(mysql);
    while (poll(&request, 1, 5000) > 0 && recv(watch, rest, sizeof rest, 0) > 0) {
    }
    close(watch);
}

int ccycle_run(const char *socket, unsigned int port, const char *user, const char *password, const char *database,
               const char *first, const char *query) {
    int error = 0;
    MYSQL *mysql = connect_to(socket, port, user, password, database, &error);
    if (!mysql) return error;
    int watch = fcntl(mysql_get_socket(mysql), F_DUPFD_CLOEXEC, 0);
    if (first && mysql_real_query(mysql, first, strlen(first))) error = (int)mysql_errno(mysql);
    if (!error) error = run_query(mysql, query);
    close_confirmed(mysql, watch);
    return error;
}

int ccycle_queries(const char *socket, unsigned int port, const char *user, const char *password, const char *database,
                   int count, long long *nanoseconds) {
    int error = 0;
    MYSQL *mysql = connect_to(socket, port, user, password, database, &error);
    if (!mysql) return error;
    int watch = fcntl(mysql_get_socket(mysql), F_DUPFD_CLOEXEC, 0);
    for (int index = 0; index < count && !error; index++) {
        struct timespec start, end;
        clock_gettime(CLOCK_MONOTONIC, &start);
        error = run_query(mysql, "SELECT 1");
        clock_gettime(CLOCK_MONOTONIC, &end);
        nanoseconds[index] = (end.tv_sec - start.tv_sec) * 1000000000LL + (end.tv_nsec - start.tv_nsec);
    }
    close_confirmed(mysql, watch);
    return error;
}

int ccycle_pin(int process, int processor) {
    char path[64];
    cpu_set_t set;
    int bound = 0;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    snprintf(path, sizeof path, "/proc/%d/task", process);
    DIR *tasks = opendir(path);
    if (!tasks) return 0;
    for (struct dirent *task; (task = readdir(tasks));) {
        int thread = atoi(task->d_name);
        if (thread > 0 && sched_setaffinity(thread, sizeof set, &set) == 0) bound++;
    }
    closedir(tasks);
    return bound;
}

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int ccycle_loops(const char *socket, const char *user, const char *password, const char *database, const char *first,
                 const char *query, int processes, int seconds) {
    int ends[2];
    long total = 0;
    if (pipe(ends)) return -1;
    for (int index = 0; index < processes; index++) {
        if (fork() == 0) {
            long done = 0;
            double end = seconds_now() + seconds;
            while (done >= 0 && seconds_now() < end)
                done = ccycle_run(socket, 0, user, password, database, first, query) ? -1 : done + 1;
            _exit(write(ends[1], &done, sizeof done) != sizeof done);
        }
    }
    for (int index = 0; index < processes; index++) {
        long done = 0;
        if (read(ends[0], &done, sizeof done) != sizeof done || done < 0) total = -1;
        if (total >= 0) total += done;
    }
    for (int index = 0; index < processes; index++) wait(NULL);
    close(ends[0]);
    close(ends[1]);
    return total < 0 ? -1 : (int)(total / seconds);
}

struct memory {
    const char *bytes;
    size_t left;
};

static int memory_init(void **data, const char *name, void *rows) {
    (void)name;
    *data = rows;
    return 0;
}

static int memory_read(void *data, char *buffer, unsigned int room) {
    struct memory *memory = data;
    size_t count = memory->left < room ? memory->left : room;
    memcpy(buffer, memory->bytes, count);
    memory->bytes += count;
    memory->left -= count;
    return (int)count;
}

static void memory_end(void *data) { (void)data; }

static int memory_error(void *data, char *text, unsigned int room) {
    (void)data;
    snprintf(text, room, "cannot happen");
    return 1;
}

long ccycle_load(const char *socket, const char *user, const char *password, const char *database, const char *statement,
                 const char *rows, unsigned long length) {
    MYSQL *mysql = mysql_init(NULL);
    unsigned int on = 1;
    long stored = -1;
    struct memory memory = {rows, length};
    mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &on);
    if (mysql_real_connect(mysql, NULL, user, password, database, 0, socket, 0)) {
        mysql_set_local_infile_handler(mysql, memory_init, memory_read, memory_end, memory_error, &memory);
        if (mysql_real_query(mysql, statement, strlen(statement)) == 0) stored = (long)mysql_affected_rows(mysql);
        if (stored < 0) fprintf(stderr, "%s\n", mysql_error(mysql));
    }
    mysql_close(mysql);
    return stored;
}
