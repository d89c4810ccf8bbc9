/* The driver for PostgreSQL, by libpq 14 or later: extended protocol, pipelined, never blocking. */
#ifndef LIGA_DRIVER_POSTGRES_H
#define LIGA_DRIVER_POSTGRES_H

struct driver;

extern const struct driver driver_postgres;

#endif
