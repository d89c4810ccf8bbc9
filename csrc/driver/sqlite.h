/* The driver for SQLite (3.35 or later). */
#ifndef LIGA_DRIVER_SQLITE_H
#define LIGA_DRIVER_SQLITE_H

struct driver;

extern const struct driver driver_sqlite;

#endif
