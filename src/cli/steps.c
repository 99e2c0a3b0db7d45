/* Lists of numbers of steps: "0,10,20:100:20", numbers and ranges, increasing. */
#include <stdlib.h>
#include "cli.h"

/* The list as it was given, and where the reading is. */
typedef struct {
  const char *option, *all, *text;
} List;

static PetscErrorCode ReadStep(List *list, PetscInt *t)
{
  char *end;
  const long long value = strtoll(list->text, &end, 10);

  PetscFunctionBegin;
  PetscCheck(end != list->text && value >= 0 && value < PETSC_MAX_INT / 2, PETSC_COMM_WORLD,
             PETSC_ERR_USER_INPUT, "%s %s: write whole numbers of steps, T1,T2,... or FIRST:LAST:STRIDE",
             list->option, list->all);
  *t = (PetscInt)value;
  list->text = end;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* One number, or a range. */
static PetscErrorCode ReadRange(List *list, PetscInt *first, PetscInt *last, PetscInt *stride)
{
  PetscFunctionBegin;
  *stride = 1;
  PetscCall(ReadStep(list, first));
  *last = *first;
  if (*list->text != ':') PetscFunctionReturn(PETSC_SUCCESS);
  list->text++;
  PetscCall(ReadStep(list, last));
  if (*list->text != ':') PetscFunctionReturn(PETSC_SUCCESS);
  list->text++;
  PetscCall(ReadStep(list, stride));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CliParseSteps(const char option[], const char text[], PetscInt most, PetscInt **at,
                             PetscInt *n)
{
  List list = {option, text, text};

  PetscFunctionBegin;
  *at = NULL;
  *n = 0;
  do {
    PetscInt first = 0, last = 0, stride = 1;
    PetscCall(ReadRange(&list, &first, &last, &stride));
    PetscCheck(stride > 0 && last >= first && (!*n || first > (*at)[*n - 1]), PETSC_COMM_WORLD,
               PETSC_ERR_USER_INPUT, "%s %s: numbers of steps must increase", option, text);
    const PetscInt more = (last - first) / stride + 1;
    PetscCheck(*n + more <= most, PETSC_COMM_WORLD, PETSC_ERR_USER_INPUT,
               "%s %s: more than %" PetscInt_FMT " numbers of steps", option, text, most);
    PetscCall(PetscRealloc((size_t)(*n + more) * sizeof(PetscInt), at));
    for (PetscInt i = 0; i < more; i++) (*at)[(*n)++] = first + i * stride;
  } while (*list.text++ == ',');
  PetscCheck(!list.text[-1], PETSC_COMM_WORLD, PETSC_ERR_USER_INPUT,
             "%s %s: write whole numbers of steps, T1,T2,... or FIRST:LAST:STRIDE", option, text);
  PetscFunctionReturn(PETSC_SUCCESS);
}
