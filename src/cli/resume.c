/* The options of a checkpoint beside those of the run that goes on from it: what says which numbers are
   computed has to be the same, limits and output may change. Where the samples come from may change too, as
   files move; how many they are is checked with the vectors. */
#include <stdlib.h>
#include <string.h>
#include "cli.h"

static PetscBool MayChange(const char name[])
{
  const char *const names[] = {"output_dir",
                               "resume",
                               "help",
                               "cli_help",
                               "options_file",
                               "quiet",
                               "uls_max_it",
                               "uls_gatol",
                               "uls_diagnose_every",
                               "blp_data",
                               "blp_train",
                               "blp_val",
                               "blp_test",
                               "error_if_not_converged",
                               "max_walltime",
                               "blp_fold_groups"};
  const char *const beginnings[] = {"uls_eval_", "checkpoint_", "tape_",    "log_",
                                    "malloc_",   "options_",    "on_error_"};
  const char *const parts[] = {"_view", "_monitor", "_converged_reason"};

  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
    if (!strcmp(name, names[i])) return PETSC_TRUE;
  for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++)
    if (!strncmp(name, beginnings[i], strlen(beginnings[i]))) return PETSC_TRUE;
  for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
    if (strstr(name, parts[i])) return PETSC_TRUE;
  return PETSC_FALSE;
}

/* A flag without a value is true. */
static PetscBool SameValue(const char a[], const char b[])
{
  char *end_a, *end_b;
  const char *const x = a && a[0] ? a : "true", *const y = b && b[0] ? b : "true";
  const double u = strtod(x, &end_a), v = strtod(y, &end_b);

  if (!strcmp(x, y)) return PETSC_TRUE;
  return (PetscBool)(end_a != x && end_b != y && !*end_a && !*end_b && u == v);
}

/* The value of an option in a text of PetscOptionsGetAll(); false where it is not in it. */
static PetscErrorCode LookUp(const char all[], const char name[], char value[], size_t len, PetscBool *found)
{
  const char *other, *has;
  char *text, *rest;

  PetscFunctionBegin;
  *found = PETSC_FALSE;
  PetscCall(PetscStrallocpy(all, &text));
  rest = text;
  while (!*found && CliNextOption(&rest, &other, &has)) {
    *found = (PetscBool)!strcmp(other, name);
    if (*found) PetscCall(PetscStrncpy(value, has ? has : "", len));
  }
  PetscCall(PetscFree(text));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Every option of the checkpoint that matters is given again. */
static PetscErrorCode CheckKept(const char path[], const char before[], const char now[])
{
  char *text, *rest, given[PETSC_MAX_PATH_LEN];
  const char *name, *value;
  PetscBool found;

  PetscFunctionBegin;
  PetscCall(PetscStrallocpy(before, &text));
  rest = text;
  while (CliNextOption(&rest, &name, &value)) {
    if (MayChange(name)) continue;
    PetscCall(LookUp(now, name, given, sizeof(given), &found));
    PetscCheck(
        found, PETSC_COMM_WORLD, PETSC_ERR_USER_INPUT,
        "-resume: %s is of a run with -%s %s, which is missing: give it again, or begin another run from "
        "its lambda by -blp_lambda_file %s and another -output_dir",
        path, name, value ? value : "", path);
    PetscCheck(
        SameValue(value, given), PETSC_COMM_WORLD, PETSC_ERR_USER_INPUT,
        "-%s %s: -resume goes on from %s, which is of a run with %s: give that again, or begin another run "
        "from its lambda by -blp_lambda_file %s and another -output_dir",
        name, given, path, value ? value : "true", path);
  }
  PetscCall(PetscFree(text));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* No option that matters is new. */
static PetscErrorCode CheckNew(const char path[], const char before[], char now[])
{
  char was[PETSC_MAX_PATH_LEN];
  const char *name, *value;
  PetscBool found;

  PetscFunctionBegin;
  while (CliNextOption(&now, &name, &value)) {
    if (MayChange(name)) continue;
    PetscCall(LookUp(before, name, was, sizeof(was), &found));
    PetscCheck(
        found, PETSC_COMM_WORLD, PETSC_ERR_USER_INPUT,
        "-%s %s: -resume goes on from %s, which is of a run without it: leave it out, or begin another run "
        "from its lambda by -blp_lambda_file %s and another -output_dir",
        name, value ? value : "", path, path);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CliCheckOptionsOfCheckpoint(const char path[], const char before[])
{
  char *now;

  PetscFunctionBegin;
  PetscCall(PetscOptionsGetAll(NULL, &now));
  PetscCall(CheckKept(path, before, now));
  PetscCall(CheckNew(path, before, now));
  PetscCall(PetscFree(now));
  PetscFunctionReturn(PETSC_SUCCESS);
}
