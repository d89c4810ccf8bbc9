/* PostgreSQL's results as cells: decoders by type, for both formats of the protocol. */
#ifndef LIGA_DRIVER_POSTGRES_CELL_H
#define LIGA_DRIVER_POSTGRES_CELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/value.h"

struct arena;

/* Microseconds from 1970 to 2000, where PostgreSQL begins to count instants in binary. */
#define POSTGRES_EPOCH_MICROS INT64_C(946684800000000)

/* Room that a cell may use for its text; what needs more takes it from the arena. */
enum { CELL_SCRATCH = 64 };

/* Where the text of a decoded cell goes. */
struct cell_room {
    char *scratch;                  /* CELL_SCRATCH bytes, lives as long as the row */
    struct arena *arena;
};

/* Turns the bytes of a field that is not NULL into a cell, whose text is in these bytes or in the room. False: the bytes are not
 * what the type promises. */
typedef bool decode(struct value *cell, const char *bytes, size_t len, struct cell_room room);

/* The decoder of a type (by its OID) for text results; never NULL: what has no decoder is a text as it is. */
decode *decoder_of_text(unsigned type);
/* … for binary results; NULL: such a column has to come as text. */
decode *decoder_of_binary(unsigned type);

#endif
