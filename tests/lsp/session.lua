-- An editing session in a headless Neovim 0.7 or later, with the plugin of editors/nvim. Ends with
-- exit code 1 at the first thing that is not as it must be.

local TEXT = {
  '/// Find what surrounds the question. 𝄞',
  'param length in 64..512 = 96',
  'level hard: length = 400',
  '',
  'document ~ distinct(length, vocab)',
  'question ~ span(4, document)',
  'answer   = around(2, question, document)',
  '',
  'rule verbatim: answer within document',
  '',
  'prompt """',
  '  𝄞 {document} é {question}',
  '  """',
  'reply "{answer}"',
}

local function check(is_so, what)
  if not is_so then
    io.stdout:write('neovim: ' .. what .. '\n')
    vim.cmd('cquit 1')
  end
end

local function until_it_is_so(what, is_so)
  check(vim.wait(10000, is_so, 10), 'waited in vain for ' .. what)
end

local function lines()
  return vim.api.nvim_buf_get_lines(0, 0, -1, false)
end

-- Puts the cursor on the nth occurrence of a text in a line.
local function go(line, text)
  local column = lines()[line]:find(text, 1, true)
  check(column, text .. ' stands in line ' .. line)
  vim.api.nvim_win_set_cursor(0, { line, column - 1 })
end

local function ask(method, extra)
  local params = vim.lsp.util.make_position_params(0, 'utf-16')
  params = vim.tbl_extend('force', params, extra or {})
  local answers = vim.lsp.buf_request_sync(0, method, params, 10000)
  local _, answer = next(answers or {})
  check(answer, method .. ' is answered')
  return answer.result, answer.error or answer.err
end

local function session()
  require('cookc').setup({ cmd = { vim.env.COOKC, 'lsp' } })
  local path = FOLDER .. '/retrieval.cook'
  vim.fn.writefile(TEXT, path)
  vim.cmd('filetype plugin on | syntax on | runtime! plugin/cookc.vim')
  vim.cmd('edit ' .. path)
  check(vim.bo.filetype == 'cook', 'the file type is cook')
  check(vim.bo.commentstring == '// %s', 'the comment string is set')
  check(vim.b.current_syntax == 'cook', 'the syntax is there')
  local id = vim.fn.synID(5, 10, 1)
  check(vim.fn.synIDattr(id, 'name') == 'cookDraw', 'the draw has a colour of its own')
  local get = vim.lsp.get_clients or vim.lsp.get_active_clients
  until_it_is_so('the server', function() return #get() == 1 and get()[1].server_capabilities end)

  -- A fault that is typed is shown where it stands, behind a sign of two units, and goes again.
  vim.api.nvim_buf_set_lines(0, 11, 12, false, { '  𝄞 {documnt} é {question}' })
  until_it_is_so('a diagnostic', function() return #vim.diagnostic.get(0) == 1 end)
  local fault = vim.diagnostic.get(0)[1]
  check(fault.lnum == 11 and fault.col == #'  𝄞 {', 'it stands at the name: ' .. fault.col)
  check(fault.message:find('write `document`', 1, true), 'it says what to write')
  vim.api.nvim_buf_set_lines(0, 11, 12, false, { TEXT[12] })
  until_it_is_so('no diagnostic', function() return #vim.diagnostic.get(0) == 0 end)

  go(9, 'document')
  local hover = ask('textDocument/hover')
  check(hover.contents.value:find('parent', 1, true), 'hover tells the role')

  vim.lsp.buf.definition()
  until_it_is_so('the definition', function() return vim.fn.line('.') == 5 end)
  check(vim.fn.col('.') == 1, 'the cursor is at the name')

  go(6, 'span')
  local native = ask('textDocument/definition')
  check((native.uri or native[1].uri):find('builtin.cook', 1, true), 'a native is at home')

  go(5, 'document')
  vim.lsp.buf.rename('page')
  until_it_is_so('the new name', function() return lines()[5]:find('^page ~') end)
  check(lines()[12] == '  𝄞 {page} é {question}', 'it is renamed behind a sign of two units')
  local _, refused = ask('textDocument/rename', { newName = 'answer' })
  check(refused and refused.message:find('is taken', 1, true), 'a taken name is refused')

  vim.api.nvim_buf_set_lines(0, 6, 7, false, { 'answer=around(2,question,page)' })
  local format = vim.lsp.buf.format or vim.lsp.buf.formatting_sync
  format()
  check(lines()[7] == 'answer   = around(2, question, page)', 'formatted: ' .. lines()[7])

  vim.cmd('CookSample hard')
  until_it_is_so('a sample', function() return #vim.api.nvim_list_wins() == 2 end)
  local shown = vim.api.nvim_win_get_buf(vim.api.nvim_list_wins()[2])
  local first = vim.api.nvim_buf_get_lines(shown, 0, 1, false)[1]
  check(first == 'retrieval · hard · sample 0', 'the sample is shown: ' .. first)

  for _, client in pairs(get()) do
    client.stop()
  end
  until_it_is_so('the end of the server', function() return #get() == 0 end)
end

local is_done, why = pcall(session)
check(is_done, tostring(why))
io.stdout:write('neovim: all checks passed\n')
vim.cmd('qall!')
