// A program that holds connections, for the tests of rescue: some silent, and one at work in a transaction if asked for.
//
// holder SOCKET PORT USER PASSWORD UNIX TCP WORKING UID STATUS
//   UNIX, TCP   how many connections over each
//   WORKING     which of them, counted from 0 and unix first, runs a statement in a transaction all the time; -1 for none
//   UID         the user to become at first, without starting another program; -1 to stay
//   STATUS      a file to which a line is written when all are open, and when the transaction is lost
//
// It ends when its standard input does, so that it never outlives its test.
#define _GNU_SOURCE
#include <fcntl.h>
#include <mysql.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int count, char **arguments) {
    if (count != 10) return 64;
    // The tests' threads may have signals blocked, and hand that on.
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGTERM, SIG_DFL);
    int unix_count = atoi(arguments[5]), total = unix_count + atoi(arguments[6]);
    int working = atoi(arguments[7]), user = atoi(arguments[8]);
    int status = open(arguments[9], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    // As a worker of PHP-FPM does, before it connects.
    if (user >= 0 && (setgid((gid_t)user) || setuid((uid_t)user))) return 1;
    MYSQL **connections = calloc((size_t)total + 1, sizeof *connections);
    for (int index = 0; index < total; index++) {
        int is_unix = index < unix_count;
        connections[index] = mysql_init(NULL);
        if (!mysql_real_connect(connections[index], is_unix ? NULL : "127.0.0.1", arguments[3], arguments[4], NULL,
                                (unsigned)atoi(arguments[2]), is_unix ? arguments[1] : NULL, 0)) {
            dprintf(status, "failed %s\n", mysql_error(connections[index]));
            return 1;
        }
    }
    if (working >= 0 && (mysql_query(connections[working], "START TRANSACTION") ||
                         mysql_query(connections[working], "INSERT INTO app.held VALUES (1)"))) {
        dprintf(status, "failed %s\n", mysql_error(connections[working]));
        return 1;
    }
    dprintf(status, "ready\n");
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    while (poll(&input, 1, 100) == 0) {
        if (working >= 0 && mysql_query(connections[working], "UPDATE app.held SET n = n + 1")) {
            dprintf(status, "lost\n");
            working = -1;
        }
    }
    return 0;
}
