#include "driver/postgres_target.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/names.h"

static const char letters[] = "abcdefghijklmnopqrstuvwxyz_", blanks[] = " \t\n";

/* Names of parameters one after the other, from `at` on. */
struct parameters {
    const char *at;
    const char *(*next)(const char *at);        /* behind the value at `at`: the next name, or NULL */
    const PQconninfoOption *known;
};

/* ?name=value&name=value */
static const char *next_of_url(const char *at) {
    const char *and = strchr(at, '&');
    return and ? and + 1 : NULL;
}

/* name = value name='a \' value' */
static const char *next_of_text(const char *at) {
    at += strspn(at, blanks);
    if (*at == '=') at += 1 + strspn(at + 1, blanks);
    bool quoted = *at == '\'';
    for (at += quoted; *at && (quoted ? *at != '\'' : !strchr(blanks, *at)); at++)
        if (*at == '\\' && at[1]) at++;
    if (quoted && !*at) return NULL;
    at += quoted;
    at += strspn(at, blanks);
    return *at ? at : NULL;
}

static bool is_word(const char *at, size_t len, const char *word) {
    return strlen(word) == len && strncmp(at, word, len) == 0;
}

static bool is_known(const struct parameters *parameters, const char *at, size_t len) {
    for (const PQconninfoOption *option = parameters->known; option->keyword; option++)
        if (is_word(at, len, option->keyword)) return true;
    return is_word(at, len, "ssl");             /* JDBC's way, which libpq takes for sslmode */
}

/* What follows a password may belong to it, if nobody has put it in quotes. */
static bool is_secret(const char *at, size_t len) {
    return is_word(at, len, "password") || is_word(at, len, "sslpassword");
}

/* The first name that is no parameter, into `word`; false: there is none, or it can't be told from a secret. */
static bool find_unknown(const struct parameters *parameters, char *word) {
    for (const char *at = parameters->at; at; at = parameters->next(at)) {
        size_t len = strspn(at, letters);
        const char *behind = at + len + strspn(at + len, blanks);
        if (!len || *behind != '=' || is_secret(at, len)) return false;
        if (!is_known(parameters, at, len)) {
            memcpy(word, at, len);
            word[len] = '\0';
            return true;
        }
        at = behind;
    }
    return false;
}

/* Where names begin; NULL: nowhere, or in what may be a password. */
static const char *first_name(const char *target, bool url) {
    if (!url) return target + strspn(target, blanks);
    const char *mark = strchr(target, '?');
    return mark && !strchr(mark, '@') ? mark + 1 : NULL;
}

static bool name_unknown(const char *target, bool url, struct arena *arena, struct error *error) {
    enum { LONGEST = 64 };                      /* of the names that libpq knows */
    char *word = arena_alloc(arena, strlen(target) + 1), *best = arena_alloc(arena, LONGEST);
    PQconninfoOption *known = PQconndefaults();             /* from here to its end nothing asks the arena, which may jump away */
    if (!known) return false;
    struct parameters parameters = { first_name(target, url), url ? next_of_url : next_of_text, known };
    struct nearest nearest = { .word = word };
    bool found = find_unknown(&parameters, word);
    for (const PQconninfoOption *option = known; found && option->keyword; option++) nearest_offer(&nearest, option->keyword);
    snprintf(best, LONGEST, "%s", nearest.best ? nearest.best : "");
    PQconninfoFree(known);
    if (!found) return false;
    return !error_set(error, arena, ERROR_USAGE, "liga.connect: the %s has an unknown parameter \"%s\"%s%s%s",
                      url ? "URL" : "connection text", word, *best ? " (did you mean \"" : "", best,
                      *best ? "\"?)" : "");
}

const char *postgres_target(const char *given, struct arena *arena, struct error *error) {
    bool url = strncmp(given, "//", 2) == 0;
    const char *target = arena_printf(arena, "%s%s", url ? "postgresql:" : "", given);
    char *reason = NULL;
    PQconninfoOption *parsed = PQconninfoParse(target, &reason);
    bool no_memory = !parsed && (!reason || strncmp(reason, "out of memory", 13) == 0);     /* which is not the target's fault */
    PQfreemem(reason);
    PQconninfoFree(parsed);
    if (parsed) return target;
    if (no_memory) {
        error_set(error, arena, ERROR_CONNECTION, "cannot connect: out of memory");
        return NULL;
    }
    if (name_unknown(target, url, arena, error)) return NULL;
    error_set(error, arena, ERROR_USAGE, "liga.connect: the %s can't be read: expected %s", url ? "URL" : "connection text",
              url ? "postgres://user:password@host:port/database?option=value, with special characters written as %XX"
                  : "host=... port=... dbname=... user=... password=..., with values in quotes where they hold blanks");
    return NULL;
}
