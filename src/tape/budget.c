/* The memory a tape may take: as the user writes it, and what it holds. */
#include <stdlib.h>
#include <twofold/impl/tapeimpl.h>

/* A number and a unit, powers of 1000; false where the text is something else. */
static PetscBool ParseBytes(const char text[], PetscLogDouble *bytes)
{
  static const char *const units[] = {"", "kB", "MB", "GB", "TB"};
  PetscBool same;
  char *end;

  *bytes = strtod(text, &end);
  if (end == text) return PETSC_FALSE;
  while (*end == ' ') end++;
  if (!strcmp(end, "B")) return PETSC_TRUE;
  for (int k = 0; k < 5; k++, *bytes *= 1000)
    if (!PetscStrcasecmp(end, units[k], &same) && same) return PETSC_TRUE;
  return PETSC_FALSE;
}

PetscErrorCode TapeBudgetFromOptions_Private(Tape tape, PetscOptionItems *PetscOptionsObject)
{
  const char *const prefix = ((PetscObject)tape)->prefix ? ((PetscObject)tape)->prefix : "";
  PetscLogDouble bytes;
  PetscBool given;
  char text[64];

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(text, sizeof(text), "%g", tape->max_ram));
  PetscCall(PetscOptionsString("-tape_max_ram", "Memory for iterates, a rank: bytes, or with kB, MB, GB, TB",
                               "TapeSetMaxRAM", text, text, sizeof(text), &given));
  if (!given || !text[0]) /* a missing value is told by whoever checks the options */
    PetscFunctionReturn(PETSC_SUCCESS);
  PetscCheck(ParseBytes(text, &bytes), PetscObjectComm((PetscObject)tape), PETSC_ERR_USER_INPUT,
             "-%stape_max_ram %s: must be a number of bytes, or one with the unit kB, MB, GB or TB", prefix,
             text);
  PetscCall(TapeSetMaxRAM(tape, bytes));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TapeBudgetHolds_Private(Tape tape, PetscInt pieces, PetscInt least, PetscInt *n)
{
  const char *const prefix = ((PetscObject)tape)->prefix ? ((PetscObject)tape)->prefix : "";
  const PetscLogDouble one = (PetscLogDouble)tape->maxbytes * (PetscLogDouble)pieces;

  PetscFunctionBegin;
  PetscCheck(tape->max_ram >= (PetscLogDouble)least * one, PetscObjectComm((PetscObject)tape),
             PETSC_ERR_ARG_OUTOFRANGE,
             "-%stape_max_ram %.0f bytes is too little: type %s needs %.0f here, for %" PetscInt_FMT
             " iterates of %" PetscInt_FMT " numbers on the rank with most. Raise it, or take more ranks%s",
             prefix, tape->max_ram, ((PetscObject)tape)->type_name, (PetscLogDouble)least * one,
             least * pieces, tape->maxlocal, tape->single ? "" : " or -tape_single");
  *n = (PetscInt)PetscMin(floor(tape->max_ram / one), 1e9);
  PetscFunctionReturn(PETSC_SUCCESS);
}
