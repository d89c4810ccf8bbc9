--- busted under the interpreter that runs this file, wherever busted is installed.
require "busted.runner" { standalone = false }
