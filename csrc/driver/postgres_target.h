/* What stands behind "postgres:" in the target of a connection: the rest of a URL, or libpq's conninfo. */
#ifndef LIGA_DRIVER_POSTGRES_TARGET_H
#define LIGA_DRIVER_POSTGRES_TARGET_H

struct arena;
struct error;

/* The target as libpq takes it; NULL: libpq can't read it, and the error is set (UsageError). libpq's own message may quote a part
 * of the password, so it is not passed on; a parameter that does not exist is named where it can't be one. */
const char *postgres_target(const char *target, struct arena *arena, struct error *error);

#endif
