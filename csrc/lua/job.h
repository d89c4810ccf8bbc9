/* A job: the statements of one call, in their transaction bracket. C runs it to its end (call_run), or Lua step by step. */
#ifndef LIGA_LUA_JOB_H
#define LIGA_LUA_JOB_H

#include "lua/call.h"

/* Goes on until something has happened that somebody else has to know of, or has to be waited for; an error is in the call. */
enum step job_advance(lua_State *L, struct call *call);

/* What to wait for after STEP_WAIT: the server, or (no descriptor) a pause before the pool is asked again. */
struct waiting job_waits_for(const struct call *call);

/* Ends the job: pushes its results, or raises its error. Returns the number of results. */
int job_finish(lua_State *L, struct call *call);

/* Whether its transaction bracket is open, so that leaving it now has something to undo. */
bool job_is_open(const struct call *call);

/* A job that is left before its end (error in a logger, closed coroutine): its transaction bracket is undone. */
void job_undo(lua_State *L, struct call *call);

#endif
