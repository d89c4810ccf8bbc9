/* Finished text and parameters: what sql makes and drivers run. */
#ifndef LIGA_BASE_STATEMENT_H
#define LIGA_BASE_STATEMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/value.h"

/* What `logging` calls the statement, and what a lost connection means for it. */
enum statement_kind { STATEMENT_READ, STATEMENT_WRITE, STATEMENT_TRANSACTION, STATEMENT_SCHEMA };

struct statement {
    const char *text;           /* NUL-terminated */
    size_t len;
    const struct value *params;
    int param_count;
    enum statement_kind kind;
    bool one_off;               /* not worth a place in the statement cache (DDL, user's SQL with lists) */
    bool typed;                 /* parameters have the types of their values; else the server infers them from the text */
    bool soils;                 /* changes the session (SET, LISTEN …), which others must not notice */
};

#endif
