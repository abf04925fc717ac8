"""What `cookc.torch` uses of PyTorch, without PyTorch."""
