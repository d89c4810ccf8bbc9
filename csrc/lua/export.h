/* Marks the one symbol that a shared object shows: its luaopen function. Everything else is built with
 * -fvisibility=hidden, which would also hide the functions marked by lua.h alone. */
#ifndef LIGA_LUA_EXPORT_H
#define LIGA_LUA_EXPORT_H

#define LIGA_EXPORT __attribute__((visibility("default")))

#endif
