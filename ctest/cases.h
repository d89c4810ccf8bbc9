/* Tables of statements: how each is made and how it reads on both engines. Every case is rendered, run on SQLite, and
 * made again with memory out at each request.
 *
 * Expected texts write ` for the double quote; after " | " come the parameters: 1 2.5 'text' x'00' true NULL. */
#ifndef LIGA_CTEST_CASES_H
#define LIGA_CTEST_CASES_H

#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/statement.h"
#include "blog.h"
#include "check.h"
#include "driver/driver.h"
#include "driver/sqlite.h"
#include "faults.h"
#include "sql/ddl.h"
#include "sql/dialect.h"

struct sql_case {
    const char *name;
    struct statement *(*make)(struct blog *blog, const struct dialect *dialect, struct error *error);
    const char *sqlite, *postgres;      /* NULL: as sqlite, with $1 for ? */
};

/* ---------------------------------------------------------------------------------------------- reading statements */

static inline void show_bytes(struct buf *buf, struct value value) {
    buf_adds(buf, "x'");
    for (size_t i = 0; i < value.len; i++) buf_addf(buf, "%02x", (unsigned char)value.as.text[i]);
    buf_addc(buf, '\'');
}

static inline void show_value(struct buf *buf, struct value value) {
    switch (value.kind) {
    case VALUE_NULL: buf_adds(buf, "NULL"); break;
    case VALUE_BOOL: buf_adds(buf, value.as.boolean ? "true" : "false"); break;
    case VALUE_INT:  buf_addi(buf, value.as.integer); break;
    case VALUE_REAL: buf_addf(buf, "%g", value.as.real); break;
    case VALUE_TEXT: buf_addf(buf, "'%.*s'", (int)value.len, value.as.text); break;
    case VALUE_BLOB: show_bytes(buf, value); break;
    case VALUE_LIST:
        buf_addc(buf, '[');
        for (size_t i = 0; i < value.len; i++) {
            if (i) buf_addc(buf, ',');
            show_value(buf, value.as.items[i]);
        }
        buf_addc(buf, ']');
        break;
    }
}

/* Text and parameters as the tables write them. */
static inline const char *shown(struct arena *arena, const struct statement *statement) {
    struct buf buf;
    buf_init(&buf, arena);
    for (const char *c = statement->text; *c; c++) buf_addc(&buf, *c == '"' ? '`' : *c);
    for (int i = 0; i < statement->param_count; i++) {
        buf_adds(&buf, i ? ", " : " | ");
        show_value(&buf, statement->params[i]);
    }
    return buf.text;
}

/* The text for SQLite with numbered marks. */
static inline const char *with_numbers(struct arena *arena, const char *sqlite) {
    struct buf buf;
    int number = 0;
    buf_init(&buf, arena);
    for (const char *c = sqlite; *c; c++) {
        if (*c == '?') buf_addf(&buf, "$%d", ++number);
        else buf_addc(&buf, *c);
    }
    return buf.text;
}

static inline const char *wanted(struct arena *arena, const struct sql_case *one, const struct dialect *dialect) {
    if (dialect == &dialect_sqlite) return one->sqlite;
    return one->postgres ? one->postgres : with_numbers(arena, one->sqlite);
}

/* ---------------------------------------------------------------------------------------------------- one case */

struct case_run {
    const struct sql_case *one;
    const struct dialect *dialect;
    bool right;
    char text[8192];        /* what came out, if not */
};

/* As fault_points wants it: makes the schema, the statement, and compares. */
static inline void make_case(struct arena *arena, void *data) {
    struct case_run *run = data;
    struct blog blog;
    struct error error = { 0 };
    blog_init(&blog, arena);
    const struct statement *statement = run->one->make(&blog, run->dialect, &error);
    const char *text = statement ? shown(arena, statement) : arena_printf(arena, "error: %s", error.message);
    const char *expected = wanted(arena, run->one, run->dialect);
    run->right = strcmp(text, expected) == 0;
    snprintf(run->text, sizeof run->text, "got:    %s\n# wanted: %s", text, expected);
}

static inline bool drained(struct conn *conn, const struct statement *statement, struct arena *arena,
                           struct error *error) {
    struct cursor *cursor = driver_sqlite.start(conn, statement, arena, error);
    if (!cursor) return false;
    enum drive drive;
    do drive = driver_sqlite.step(conn, cursor, arena, error);
    while (drive == DRIVE_ROW);
    driver_sqlite.finish(conn, cursor);
    return drive == DRIVE_DONE;
}

static inline bool create_tables(struct conn *conn, struct blog *blog, struct error *error) {
    for (const struct model *model = blog->schema.models; model; model = model->next) {
        struct statement *create = ddl_create_table(blog->arena, &dialect_sqlite, model, true, NULL, 0, error);
        if (!create || !drained(conn, create, blog->arena, error)) return false;
    }
    return true;
}

/* True if SQLite takes and runs the statement on the schema's empty tables. */
static inline bool runs_on_sqlite(const struct sql_case *one) {
    static const struct conn_options options = { .target = ":memory:" };
    struct arena arena;
    struct blog blog;
    struct error error = { 0 };
    arena_init(&arena, fault_unexpected, NULL);
    blog_init(&blog, &arena);
    struct conn *conn = driver_sqlite.open(&options, &arena, &error);
    bool fine = conn && create_tables(conn, &blog, &error);
    const struct statement *statement = fine ? one->make(&blog, &dialect_sqlite, &error) : NULL;
    fine = statement && drained(conn, statement, &arena, &error);
    if (!fine) printf("# %s\n", error.message);
    if (conn) driver_sqlite.close(conn);
    arena_free(&arena);
    return fine;
}

static inline void run_case(const struct sql_case *one) {
    static const struct dialect *const dialects[] = { &dialect_sqlite, &dialect_postgres };
    for (int i = 0; i < 2; i++) {
        static struct case_run run;
        run = (struct case_run){ .one = one, .dialect = dialects[i] };
        bool enough = survives(make_case, &run);
        if (!CHECK(run.right && enough, "%s (%s)", one->name, dialects[i]->name)) printf("# %s\n", run.text);
    }
    bool refused = strncmp(one->sqlite, "error:", 6) == 0;
    CHECK(refused || runs_on_sqlite(one), "%s: SQLite takes it", one->name);
}

#define RUN_CASES(cases)                                                                            \
    do {                                                                                            \
        for (size_t case_ = 0; case_ < sizeof(cases) / sizeof *(cases); case_++) run_case(&(cases)[case_]);   \
    } while (0)

#endif
