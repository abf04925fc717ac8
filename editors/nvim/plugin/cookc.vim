" :CookSample [level] shows another sample of the template in a window.
if exists('g:loaded_cookc') || !has('nvim-0.7') | finish | endif
let g:loaded_cookc = 1
command! -nargs=? CookSample lua require('cookc').sample(<q-args>)
