# liga. `make help` lists the targets; everything made goes to build/ (with SAN=1: build-asan/).

LUA        = lua5.4
LUA_INCDIR = /usr/include/lua5.4
PQ_INCDIR  = $(shell pg_config --includedir 2>/dev/null || echo /usr/include/postgresql)
CC         = gcc
CFLAGS     = -O2 -g
BUILD      = build
PREFIX     = /usr/local
LUADIR     = $(PREFIX)/share/lua/5.4
LIBDIR     = $(PREFIX)/lib/lua/5.4
BINDIR     = $(PREFIX)/bin

# SAN=1: address and undefined-behaviour sanitizers. The modules stay mapped, so that reports at exit have names.
ifdef SAN
BUILD   = build-asan
CFLAGS  = -O1 -g -fno-omit-frame-pointer -fno-builtin -fsanitize=address,undefined -fno-sanitize-recover=undefined
LDFLAGS = -Wl,-z,nodelete
endif

WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes
COMPILE  = $(CC) -std=c11 $(WARNINGS) $(CFLAGS) -fPIC -fno-plt -fvisibility=hidden -Icsrc -isystem $(LUA_INCDIR) -isystem $(PQ_INCDIR) -MMD -MP
PARALLEL = --silent --no-print-directory -j$(shell nproc)

# What runs from the checkout finds it; settings of the user's own Lua tree stay out.
export LUA_PATH  = lua/?.lua;lua/?/init.lua;;
export LUA_CPATH = $(BUILD)/?.so;;
unexport LUA_PATH_5_4 LUA_CPATH_5_4 LUA_INIT LUA_INIT_5_4

build: modules

# ---------------------------------------------------------------------------------------------------------- modules
# One shared object per row. Only a driver's module links its database library.

layer  = $(sort $(wildcard $(1:%=csrc/%/*.c)))
object = $(patsubst csrc/%.c,$(BUILD)/obj/%.o,$(1))

plain_src  = $(call layer,base schema sql load)
driver_src = $(call layer,driver)
shared_src = $(call layer,base) $(filter-out csrc/driver/sqlite% csrc/driver/postgres%,$(driver_src))
core_src   = $(plain_src) $(filter-out csrc/lua/driver_%,$(call layer,lua))
sqlite_src = $(shared_src) $(wildcard csrc/driver/sqlite*.c csrc/lua/driver_sqlite.c)
postgres_src = $(shared_src) $(wildcard csrc/driver/postgres*.c csrc/lua/driver_postgres.c)

DRIVER_LIBS = -lsqlite3 -lpq -lm

MODULES = core sqlite postgres

modules: $(MODULES:%=$(BUILD)/liga/%.so)

$(BUILD)/liga/core.so:   $(call object,$(core_src))
$(BUILD)/liga/sqlite.so: $(call object,$(sqlite_src))
$(BUILD)/liga/postgres.so: $(call object,$(postgres_src))
$(BUILD)/liga/core.so:   LIBS = -lm
$(BUILD)/liga/sqlite.so: LIBS = -lsqlite3 -lm
$(BUILD)/liga/postgres.so: LIBS = -lpq -lm

$(BUILD)/liga/%.so:
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -shared $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/obj/%.o: csrc/%.c
	@mkdir -p $(@D)
	$(COMPILE) -c -o $@ $<

# The C tests: one program each, the core without Lua.
ctests: $(patsubst %.c,$(BUILD)/%,$(wildcard ctest/*_test.c))

$(BUILD)/ctest/%: ctest/%.c $(call object,$(plain_src) $(driver_src))
	@mkdir -p $(@D)
	$(COMPILE) -o $@ $(filter %.c %.o,$^) $(DRIVER_LIBS)

# The fuzzers: one program each. What they share with the C tests is in ctest/*.h.
fuzzers: $(patsubst %.c,$(BUILD)/%,$(wildcard fuzz/fuzz_*.c))

$(BUILD)/fuzz/%: fuzz/%.c $(call object,$(plain_src) $(driver_src))
	@mkdir -p $(@D)
	$(COMPILE) -Ictest -fsanitize=fuzzer -o $@ $(filter %.c %.o,$^) $(DRIVER_LIBS)

-include $(wildcard $(BUILD)/obj/*/*.d $(BUILD)/ctest/*.d $(BUILD)/fuzz/*.d)

# ------------------------------------------------------------------------------------------- the two main commands

demo:
	@tools/setup.sh build
	@$(MAKE) $(PARALLEL) build
	@$(LUA) examples/quickstart.lua

test:
	@tools/setup.sh build test
	@$(MAKE) $(PARALLEL) build
	@tools/with_engines.sh $(LUA) tools/test.lua layers tour luacheck symbols guide docs rocks ctest busted $(if $(CI),sanitized)

# ---------------------------------------------------------------------------------------------------- other targets

spec: build
	@tools/with_engines.sh $(LUA) tools/test.lua busted -- $(ARGS)

check:
	@tools/setup.sh build test check
	@$(MAKE) $(PARALLEL) build
	@tools/with_engines.sh $(LUA) tools/test.lua layers tour warnings luacheck symbols ctest sanitized

# Compiles everything with both compilers; a warning is an error.
warnings: warnings-gcc warnings-clang
warnings-%:
	@$(MAKE) $(PARALLEL) -k CC=$* BUILD=build/warnings-$* CFLAGS="-O2 -Werror" modules ctests

# Needs clang. Inputs worth keeping go to build/fuzz/found/, one that breaks something to build/fuzz/.
FUZZ_SECONDS = 60
FUZZ_CFLAGS  = -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
fuzz:
	@$(MAKE) $(PARALLEL) CC=clang BUILD=build/fuzz CFLAGS="$(FUZZ_CFLAGS)" fuzzers
	@for name in scan render; do \
	    mkdir -p build/fuzz/found/$$name; \
	    build/fuzz/fuzz/fuzz_$$name -max_total_time=$(FUZZ_SECONDS) -timeout=5 -rss_limit_mb=2048 -verbosity=0 \
	        -print_final_stats=1 -artifact_prefix=build/fuzz/$$name- build/fuzz/found/$$name fuzz/corpus/$$name || exit 1; \
	done

bench:
	@tools/setup.sh build bench
	@$(MAKE) $(PARALLEL) build
	@$(LUA) bench/run.lua $(ARGS)
	@$(MAKE) $(PARALLEL) -f bench/Makefile SOURCE=bench BUILD=build/bench build/bench/clock.so
	@tools/with_engines.sh $(LUA) bench/reflect.lua

docs:
	@tools/setup.sh docs
	@rm -rf build/docs
	@$(LUA) tools/reference.lua
	@ldoc --fatalwarnings . >build/docs.log 2>&1 || { cat build/docs.log; exit 1; }
	@sed -i -E 's,"docs/guide/([a-z0-9-]+)\.md","\1.md.html",g; s,"([A-Z]+\.md|docs/[a-z]+\.md)","../../../\1",g' build/docs/topics/README.md.html
	@echo "build/docs/index.html"

install: build
	install -d $(DESTDIR)$(LIBDIR)/liga
	install -m 755 $(MODULES:%=$(BUILD)/liga/%.so) $(DESTDIR)$(LIBDIR)/liga
	cd lua && find liga -name '*.lua' -exec install -D -m 644 {} $(DESTDIR)$(LUADIR)/{} \;
	install -D -m 755 bin/liga $(DESTDIR)$(BINDIR)/liga

clean:
	rm -rf build build-asan

help:
	@echo "make            build the C modules into build/     (SAN=1: with sanitizers, into build-asan/)"
	@echo "make demo       install what is missing, build, run examples/quickstart.lua"
	@echo "make test       install what is missing, build, run everything"
	@echo "make spec       only the specs; ARGS='--filter=belongsTo spec/query' is passed to busted"
	@echo "make check      layers, warnings as errors (gcc, clang), luacheck, symbols, C tests and specs under sanitizers"
	@echo "make fuzz       the fuzzers, FUZZ_SECONDS=$(FUZZ_SECONDS) each (clang)"
	@echo "make bench      the workloads beside raw C, LuaSQL and LuaDBI"
	@echo "make docs       the API reference into build/docs"
	@echo "make install    PREFIX=$(PREFIX)"
	@echo "make clean"

.PHONY: build modules ctests fuzzers demo test spec check warnings fuzz bench docs install clean help
.DELETE_ON_ERROR:
.SECONDARY:
