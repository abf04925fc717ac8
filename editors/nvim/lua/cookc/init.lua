-- Starts `cookc lsp` for .cook files, on Neovim 0.7 and later, and shows samples.
local M = {}

-- What `setup` may change: the command that is started.
M.options = { cmd = { 'cookc', 'lsp' } }

function M.setup(options)
  M.options = vim.tbl_extend('force', M.options, options or {})
end

-- Neovim 0.11 and later keep the settings of servers themselves: one that the user has given for
-- `cookc` counts, and `vim.lsp.enable` starts it.
local function has_config()
  return vim.lsp.config ~= nil and vim.lsp.enable ~= nil
end

local function root(buffer)
  local name = vim.api.nvim_buf_get_name(buffer)
  return name ~= '' and vim.fn.fnamemodify(name, ':p:h') or vim.fn.getcwd()
end

-- One server for all buffers of an older Neovim.
local client_id

function M.attach(buffer)
  buffer = buffer or vim.api.nvim_get_current_buf()
  if vim.fn.executable(M.options.cmd[1]) == 0 then
    vim.notify_once(M.options.cmd[1] .. ' is not in PATH: no diagnostics for .cook files', vim.log.levels.WARN)
    return
  end
  if has_config() then
    if not M.is_enabled then
      M.is_enabled = true
      vim.lsp.config('cookc', { cmd = M.options.cmd, filetypes = { 'cook' } })
      vim.lsp.enable('cookc')
    end
    return
  end
  if not client_id or not vim.lsp.get_client_by_id(client_id) then
    client_id = vim.lsp.start_client({ name = 'cookc', cmd = M.options.cmd, root_dir = root(buffer) })
  end
  if client_id then
    vim.lsp.buf_attach_client(buffer, client_id)
  end
end

-- A sample of the template, in a window of its own.
function M.show(text)
  vim.cmd('belowright new')
  local buffer = vim.api.nvim_get_current_buf()
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, vim.split(text, '\n'))
  for option, value in pairs({ buftype = 'nofile', bufhidden = 'wipe', modifiable = false }) do
    vim.bo[buffer][option] = value
  end
  vim.cmd('wincmd p')
end

-- Asks for another sample of the current buffer; the defaults without a level.
function M.sample(level)
  local arguments = { vim.uri_from_bufnr(0), level or '' }
  M.run({ command = 'cookc.sample', arguments = arguments }, 0)
end

function M.run(command, buffer)
  local params = { command = command.command, arguments = command.arguments }
  vim.lsp.buf_request(buffer, 'workspace/executeCommand', params, function(failed, text)
    if failed then
      vim.notify(failed.message, vim.log.levels.ERROR)
    else
      M.show(text)
    end
  end)
end

-- A lens runs this instead of sending the command and dropping the text.
vim.lsp.commands['cookc.sample'] = function(command, context)
  M.run(command, context.bufnr or 0)
end

return M
