#ifndef TWOFOLD_TAPEIMPL_H
#define TWOFOLD_TAPEIMPL_H
#include <twofold/tape.h>
#include <twofold/impl/sysimpl.h>

extern PetscClassId TAPE_CLASSID;

/* A type stores pieces (this rank's nlocal numbers of one w) by slot. Slot s holds w_{s - (nstate - 1)}: the
   first nstate - 1 slots are the history before the start. */
struct _TapeOps {
  PetscErrorCode (*setup)(Tape);
  PetscErrorCode (*slot)(Tape, PetscInt s, PetscBool write, PetscScalar **piece);
  PetscErrorCode (*release)(Tape, PetscInt s); /* optional: the sweep is done with slot s */
  PetscErrorCode (*range)(Tape, PetscInt *first);
  PetscErrorCode (*memory)(Tape, PetscInt steps, PetscLogDouble *);
  PetscErrorCode (*destroy)(Tape);
};

struct _p_Tape {
  PETSCHEADER(struct _TapeOps);
  void *data;
  PetscInt window;
  PetscInt nstate, nlocal;
  PetscInt length; /* states pushed */
  State view;      /* laid over the pieces of the state that is lent */
  PetscBool setup, lent;
};

PetscErrorCode TapeCreate_Memory(Tape tape);
PetscErrorCode TapeCreate_Poison(Tape tape);
PetscErrorCode TapeCreate_Ring(Tape tape);

#endif
