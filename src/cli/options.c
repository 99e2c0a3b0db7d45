/* PETSc's options data base, read through: PETSc itself only looks options up by their names. */
#include <string.h>
#include "cli.h"

static PetscBool IsName(const char text[])
{
  char word[256];
  PetscBool name = PETSC_FALSE;
  const size_t length = strcspn(text, " ");

  snprintf(word, sizeof(word), "%.*s", (int)PetscMin(length, sizeof(word) - 1), text);
  (void)PetscOptionsValidKey(word, &name); /* -1e-3 and -inf are none */
  return name;
}

/* Where the next name begins behind a blank, or the end. */
static char *FindName(char *text)
{
  for (char *blank = strchr(text, ' '); blank; blank = strchr(blank + 1, ' '))
    if (IsName(blank + 1)) return blank + 1;
  return text + strlen(text);
}

PetscBool CliNextOption(char **all, const char **name, const char **value)
{
  char *const begin = IsName(*all) ? *all : FindName(*all);

  if (!*begin) return PETSC_FALSE;
  char *const next = FindName(begin), *end = next;
  while (end > begin && end[-1] == ' ') end--;
  *end = 0;
  char *blank = strchr(begin, ' ');
  if (blank) *blank++ = 0;
  *name = begin + 1;
  *value = blank;
  *all = end < next ? next : end;
  return PETSC_TRUE;
}
