; Where names are bound and where they are used.

(file) @local.scope
(function) @local.scope
(block) @local.scope
(each) @local.scope
(fold) @local.scope

(words name: (name) @local.definition)
(param name: (name) @local.definition)
(binding name: (name) @local.definition)
(function name: (name) @local.definition)
(parameter name: (name) @local.definition)
(each item: (name) @local.definition)
(fold item: (name) @local.definition)
(fold (setting name: (name) @local.definition))
(import template: (name) @local.definition)

(name) @local.reference
