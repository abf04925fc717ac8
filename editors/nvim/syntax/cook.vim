" Colours for .cook files without a language server or tree-sitter.
if exists('b:current_syntax') | finish | endif

syntax keyword cookStatement use template words param level rule system prompt reply fn return
syntax keyword cookConditional if then else
syntax keyword cookRepeat all any count for fold over where
syntax keyword cookOperatorWord and or not in within
syntax keyword cookBoolean true false
syntax keyword cookType Int Real Bool Text Token T U
syntax match cookNumber /\<\d\+\%(\.\d\+\)\?\>/
syntax match cookCall /\<[a-z][a-z0-9_]*\ze\s*(/
syntax match cookDraw /\~>\?/
syntax match cookSign /->\|==\|!=\|<=\|>=\|\.\.\|[-+*\/%<>=]/
syntax match cookComment /\/\/.*$/ contains=cookTodo,@Spell
syntax match cookDoc /\/\/\/\%([^\/].*\)\?$/ contains=@Spell
syntax keyword cookTodo TODO FIXME contained

syntax match cookEscape /{{\|}}\|\\[nt"\\]/ contained
syntax region cookHole matchgroup=cookBrace start=/{/ end=/}/ contained contains=TOP
syntax region cookText start=/"/ skip=/\\"/ end=/"/ oneline contains=cookEscape,cookHole
syntax region cookText start=/"""/ end=/"""/ contains=cookEscape,cookHole,@Spell
syntax sync minlines=200

highlight default link cookStatement Statement
highlight default link cookConditional Conditional
highlight default link cookRepeat Repeat
highlight default link cookOperatorWord Operator
highlight default link cookBoolean Boolean
highlight default link cookType Type
highlight default link cookNumber Number
highlight default link cookCall Function
highlight default link cookDraw Special
highlight default link cookSign Operator
highlight default link cookComment Comment
highlight default link cookDoc SpecialComment
highlight default link cookTodo Todo
highlight default link cookEscape SpecialChar
highlight default link cookBrace Delimiter
highlight default link cookText String

let b:current_syntax = 'cook'
