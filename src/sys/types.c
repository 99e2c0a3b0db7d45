/* Types by name: look-up with a helpful refusal. */
#include <twofold/impl/sysimpl.h>

PetscInt TwofoldEditDistance(const char a[], const char b[])
{
  enum { longest = 128 };
  const PetscInt na = (PetscInt)PetscMin(strlen(a), longest - 1),
                 nb = (PetscInt)PetscMin(strlen(b), longest - 1);
  PetscInt row[3][longest]; /* distances of prefixes: i - 2, i - 1, i */
  PetscInt *before = row[0], *above = row[1], *now = row[2];

  for (PetscInt j = 0; j <= nb; j++) above[j] = j;
  for (PetscInt i = 1; i <= na; i++) {
    now[0] = i;
    for (PetscInt j = 1; j <= nb; j++) {
      const PetscInt change = above[j - 1] + (a[i - 1] != b[j - 1]);
      now[j] = PetscMin(PetscMin(above[j] + 1, now[j - 1] + 1), change);
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        now[j] = PetscMin(now[j], before[j - 2] + 1);
    }
    PetscInt *const oldest = before;
    before = above;
    above = now;
    now = oldest;
  }
  return above[nb];
}

PetscErrorCode TwofoldListTypes(PetscFunctionList list, PetscInt *n, const char ***types)
{
  int count;

  PetscFunctionBegin;
  PetscCall(PetscFunctionListGet(list, types, &count));
  while (count > 0 && !(*types)[count - 1]) count--;
  *n = count;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldFindType(PetscObject obj, PetscFunctionList list, const char option[],
                               const char type[], TwofoldConstructor *create)
{
  const char **names, *closest = NULL;
  char known[512] = "";
  PetscInt n, best = PETSC_MAX_INT;

  PetscFunctionBegin;
  PetscCall(PetscFunctionListFind(list, type, create));
  if (*create) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(TwofoldListTypes(list, &n, &names));
  for (PetscInt i = 0; i < n; i++) {
    const PetscInt distance = TwofoldEditDistance(type, names[i]);
    if (distance < best) {
      best = distance;
      closest = names[i];
    }
    if (i) PetscCall(PetscStrlcat(known, ", ", sizeof(known)));
    PetscCall(PetscStrlcat(known, names[i], sizeof(known)));
  }
  const char *prefix = obj->prefix ? obj->prefix : "";
  const char *suggestion = closest ? closest : "none";
  char text[1024];
  PetscCall(PetscSNPrintf(text, sizeof(text), "-%s%s %s: unknown %s type; known are %s (closest: %s)", prefix,
                          option, type, obj->class_name, known, suggestion));
  PetscCall(PetscFree(names));
  SETERRQ(obj->comm, PETSC_ERR_ARG_UNKNOWN_TYPE, "%s", text);
}
