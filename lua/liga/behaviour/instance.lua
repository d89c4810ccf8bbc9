--- The methods of instances whose model declares behaviour; the others are those of all instances.
local core = require "liga.core"
local errors = require "liga.errors"
local instance = require "liga.instance"
local option_tables = require "liga.options"
local write = require "liga.behaviour.write"

local behaving = { methods = setmetatable({}, { __index = instance.methods }) }
local methods = behaving.methods

--- Checks self and gives the options as a table of their own.
local function open(self, method, given)
  local class = core.class_of(self)
  if not class then
    errors.usage("an instance expected as self of %s, got %s (call it with a colon: instance:%s(…))", method,
      type(self), method)
  end
  option_tables.expect_table(class.name, given, method)
  return option_tables.copy(given), class
end

function methods:save(given)
  return write.save(self, (open(self, "save", given)))
end

function methods:update(values, given)
  local options = open(self, "update", given)
  local implied = instance.assign(self, values, options)
  return write.save(self, options, { implied = implied, job = core.save })
end

function methods:validate(given)
  local options, class = open(self, "validate", given)
  core.check_write_options(class, options, "save")
  write.validate(self, options)
  return self
end

function methods:destroy(given)
  return write.single(self, "Destroy", open(self, "destroy", given), core.destroy)
end

function methods:restore(given)
  return write.single(self, "Restore", open(self, "restore", given), core.restore)
end

return behaving
