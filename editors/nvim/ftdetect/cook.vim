autocmd BufNewFile,BufRead *.cook setfiletype cook
