# Every option is used by a test; a table of what each brings about.
twofold_cli_test(coverage everyoption)
