/* PostgreSQL's errors, by SQLSTATE. */
#ifndef LIGA_DRIVER_POSTGRES_ERROR_H
#define LIGA_DRIVER_POSTGRES_ERROR_H

#include <stdbool.h>
#include <stddef.h>

struct arena;
struct error;

/* Why a connection's transactions may not write. */
enum pg_access { PG_ASKED, PG_READ_ONLY, PG_REPLICA, PG_DEMOTED };

/* What the server says of an error. The texts are NULL where it says nothing, and need live only until the call is over. */
struct pg_failure {
    const char *sqlstate, *message, *detail, *table, *table_schema, *column, *constraint;
    int timeout;                    /* ms that a statement of this connection may take, where they are over; 0: they are not */
    enum pg_access access;          /* what a write is refused for, if it is */
    bool schema;                    /* the statement changes the schema: what does not fit is not the user's value */
};

/* Maps it to a liga error; the first error stays. Details that hold values stay out of the message. Always false. */
bool postgres_error_set(const struct pg_failure *failure, struct arena *arena, struct error *error);

/* True after an error that ends the connection. */
bool postgres_error_breaks(const char *sqlstate);

/* True after one about the text of a statement: its syntax, names, types, the right to run it. */
bool postgres_error_refuses(const char *sqlstate);

/* True after one that tells that the server takes no writes any more. */
bool postgres_error_demotes(const struct pg_failure *failure);

/* True for errors of a prepared statement that is not what the server thinks it is: it is prepared anew. */
bool postgres_error_stale(const char *sqlstate);

/* … because the server does not have it (any more). */
bool postgres_error_lost_statement(const char *sqlstate);

/* True if preparing failed because a statement of this name, and so of this text, is there already. */
bool postgres_error_prepared_already(const char *sqlstate);

/* True if libpq's sentence about a connection that was refused says that the server is not ready yet. */
bool postgres_error_passes(const char *sentence);

/* Sets a ConnectionError made of libpq's own sentence about a connection that could not be opened, or was lost. */
bool postgres_lost_set(const char *sentence, bool opening, struct arena *arena, struct error *error);

#endif
