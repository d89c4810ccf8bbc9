/* Random identifiers as canonical text, in the caller's arena. */
#ifndef LIGA_BASE_UUID_H
#define LIGA_BASE_UUID_H

#include "base/value.h"

struct arena;

struct value uuid_v4(struct arena *arena);
struct value uuid_v7(struct arena *arena);      /* begins with the time: sorts by it (RFC 9562) */

#endif
