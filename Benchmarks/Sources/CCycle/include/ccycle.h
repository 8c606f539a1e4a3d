#pragma once

// Opens a connection, runs the first statement unless it is NULL, then the query, closes it and waits until the server has
// hung up. Returns 0, or the client library's error number. A NULL socket connects to 127.0.0.1 at the port.
int ccycle_run(const char *socket, unsigned int port, const char *user, const char *password, const char *database,
               const char *first, const char *query);

// The same on an open connection: opens one, runs SELECT 1 `count` times, and writes each duration in nanoseconds.
int ccycle_queries(const char *socket, unsigned int port, const char *user, const char *password, const char *database,
                   int count, long long *nanoseconds);

// Binds every thread of a process to one processor. Returns how many threads it bound.
int ccycle_pin(int process, int processor);

// Runs ccycle_run in several processes at once for some seconds; returns the cycles a second of all of them together, or -1
// when any was refused.
int ccycle_loops(const char *socket, const char *user, const char *password, const char *database, const char *first,
                 const char *query, int processes, int seconds);

// Runs a LOAD DATA LOCAL statement whose file is the rows in memory. Returns the number of rows stored, or -1.
long ccycle_load(const char *socket, const char *user, const char *password, const char *database, const char *statement,
                 const char *rows, unsigned long length);
