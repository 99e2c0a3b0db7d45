/* The options that the objects of a run have asked for, as their help texts tell: what a typo is compared
   with and how values are checked. On rank 0, since lists of types are heard there alone. */
#include <string.h>
#include <twofold/impl/sysimpl.h>
#include "cli.h"

/* Filled through a print function that takes no context (help.c), so it has to stand here. */
static struct {
  CliHeard *option;
  PetscInt n, capacity;
} heard;

static PetscErrorCode Copy(const char from[], size_t length, char **to)
{
  PetscFunctionBegin;
  PetscCall(PetscMalloc1(length + 1, to));
  memcpy(*to, from, length);
  (*to)[length] = 0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* What stands behind the name: ": <FALSE : TRUE> ..." of a flag, " <>: ..." of a viewer, and of a value
   " <now VALUE : formerly VALUE>: ..." or, where it is real, " <VALUE : VALUE>: ...". */
static PetscErrorCode KeepKind(const char behind[], CliHeard *option)
{
  const char *const begin = strncmp(behind, " <now ", 6) ? behind + 2 : behind + 6;
  const char *const middle = strstr(behind, " : "), *const end = strchr(behind, '>');

  PetscFunctionBegin;
  option->kind = strncmp(behind, " <>", 3) ? CLI_FLAG : CLI_VIEWER;
  option->taken = NULL;
  if (strncmp(behind, " <", 2) || !middle || !end || middle > end) PetscFunctionReturn(PETSC_SUCCESS);
  option->kind = CLI_VALUE;
  PetscCall(Copy(begin, middle > begin ? (size_t)(middle - begin) : 0, &option->taken));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CliHeardAdd(const char line[])
{
  while (*line == ' ') line++;
  PetscFunctionBegin;
  if (*line != '-') PetscFunctionReturn(PETSC_SUCCESS);
  while (*line == '-') line++;
  const size_t length = strcspn(line, " :<\n");
  if (!length) PetscFunctionReturn(PETSC_SUCCESS);
  if (heard.n == heard.capacity) {
    heard.capacity = 2 * heard.capacity + 64;
    PetscCall(PetscRealloc((size_t)heard.capacity * sizeof(*heard.option), &heard.option));
  }
  PetscCall(Copy(line, length, &heard.option[heard.n].name));
  PetscCall(KeepKind(line + length, &heard.option[heard.n]));
  heard.n++;
  PetscFunctionReturn(PETSC_SUCCESS);
}

const CliHeard *CliHeardOption(PetscInt i)
{
  return i < heard.n ? &heard.option[i] : NULL;
}

PetscBool CliHeardFamily(const char family[])
{
  for (PetscInt i = 0; i < heard.n; i++)
    if (!strncmp(heard.option[i].name, family, strlen(family))) return PETSC_TRUE;
  return PETSC_FALSE;
}

PetscErrorCode CliHeardFree(void)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < heard.n; i++) {
    PetscCall(PetscFree(heard.option[i].name));
    PetscCall(PetscFree(heard.option[i].taken));
  }
  PetscCall(PetscFree(heard.option));
  heard.n = heard.capacity = 0;
  PetscFunctionReturn(PETSC_SUCCESS);
}
