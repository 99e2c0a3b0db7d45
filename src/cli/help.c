/* Hears what PETSc would print for -help, through its replaceable print functions, while objects read their
   options: the text is printed when the user asks for it, the options are kept (heard.c). Lists of types do
   not pass through PetscHelpPrintf but straight to standard output, on rank 0: there they are told by their
   form.
 */
#include <stdarg.h>
#include <string.h>
#include <twofold/impl/sysimpl.h>
#include "cli.h"

/* PetscHelpPrintf takes no context, so what is heard has to stand here. */
static struct {
  char *ours, *rest; /* text of our sections, and of PETSc's */
  PetscBool in_ours, in_list;
} heard;

static const char *const our_sections[] = {
    "Data set",           "Feature matrix",   "Bilevel problem",    "Fixed-point map",
    "Lower-level solver", "Tape of iterates", "Hypergradient",      "Upper-level set",
    "Upper-level solver", "Program",          "Computed constants", "Preconditioner (Precond)"};

static PetscErrorCode AppendText(char **text, const char more[])
{
  const size_t have = *text ? strlen(*text) : 0, add = strlen(more);

  PetscFunctionBegin;
  PetscCall(PetscRealloc(have + add + 1, text));
  memcpy(*text + have, more, add + 1);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Hear(char text[])
{
  PetscFunctionBegin;
  if (text[0] == '-' && strstr(text, " options")) { /* rule and title of a section */
    heard.in_ours = PETSC_FALSE;
    for (size_t i = 0; i < sizeof(our_sections) / sizeof(our_sections[0]); i++)
      if (strstr(text, our_sections[i])) heard.in_ours = PETSC_TRUE;
  }
  for (char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
    PetscCall(CliHeardAdd(line));
  PetscCall(AppendText(heard.in_ours ? &heard.ours : &heard.rest, text));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Listen(MPI_Comm comm, const char format[], ...)
{
  char text[8192];
  size_t written;
  va_list arguments;

  PetscFunctionBegin;
  (void)comm;
  va_start(arguments, format);
  PetscCall(PetscVSNPrintf(text, sizeof(text), format, &written, arguments));
  va_end(arguments);
  PetscCall(Hear(text));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* A list of types comes in pieces: its option, "(one of)", the types, the manual page and the end of the
 * line. */
static PetscErrorCode ListenToLists(FILE *file, const char format[], va_list arguments)
{
  char text[8192];
  size_t written;
  va_list again;

  PetscFunctionBegin;
  va_copy(again, arguments);
  PetscCall(PetscVSNPrintf(text, sizeof(text), format, &written, again));
  va_end(again);
  if (file == PETSC_STDOUT && strstr(text, "<now ") && strstr(text, "(one of)")) heard.in_list = PETSC_TRUE;
  if (!heard.in_list || file != PETSC_STDOUT) {
    PetscCall(PetscVFPrintfDefault(file, format, arguments));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  if (strchr(text, '\n')) heard.in_list = PETSC_FALSE;
  PetscCall(Hear(text));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CliHelpListen(void)
{
  PetscFunctionBegin;
  PetscHelpPrintf = Listen;
  PetscVFPrintf = ListenToLists;
  PetscCall(PetscOptionsSetValue(NULL, "-help", NULL));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Whether a line of a help text is that of one of these options. */
static PetscBool IsOneOf(const char line[], const char *const options[])
{
  for (; options && *options; options++) {
    const size_t n = strlen(*options);
    if (!strncmp(line, "  ", 2) && !strncmp(line + 2, *options, n) && strchr(" :", line[2 + n]))
      return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

static void PrintBut(const char text[], const char *const without[])
{
  while (text && *text) {
    const int length = (int)strcspn(text, "\n");
    if (!IsOneOf(text, without)) printf("%.*s\n", length, text);
    text += length + (text[length] == '\n');
  }
}

PetscErrorCode CliHelpPrintBut(PetscBool all, const char *const without[], const char closing[])
{
  PetscMPIInt rank;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (rank == 0) {
    PrintBut(heard.ours, without);
    if (all) PrintBut(heard.rest, without);
    printf("----------------------------------------\n%s-help all adds PETSc's.\n", closing);
    fflush(stdout);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CliHelpPrint(PetscBool all)
{
  PetscFunctionBegin;
  PetscCall(CliHelpPrintBut(
      all, NULL,
      "These are the options of the types in use; with -hg_type itd, say, -help lists those of itd.\n"));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CliHelpEnd(void)
{
  PetscFunctionBegin;
  PetscHelpPrintf = PetscHelpPrintfDefault;
  PetscVFPrintf = PetscVFPrintfDefault;
  PetscCall(PetscOptionsClearValue(NULL, "-help"));
  PetscCall(CliHeardFree());
  PetscCall(PetscFree(heard.ours));
  PetscCall(PetscFree(heard.rest));
  PetscFunctionReturn(PETSC_SUCCESS);
}
