#ifndef TWOFOLD_TAPEIMPL_H
#define TWOFOLD_TAPEIMPL_H
#include <twofold/tape.h>
#include <twofold/impl/sysimpl.h>

extern PetscClassId TAPE_CLASSID;

/* A type stores pieces (this rank's nlocal numbers of one w, `bytes` of memory) by slot. Slot s holds w_{s -
   (nstate - 1)}: the first nstate - 1 slots are the history before the start. Or it stores whole states, by
   push and get. */
struct _TapeOps {
  PetscErrorCode (*setfromoptions)(Tape, PetscOptionItems *);
  PetscErrorCode (*setup)(Tape, State like);
  PetscErrorCode (*rewind)(Tape);
  PetscErrorCode (*slot)(Tape, PetscInt s, PetscBool write, void **piece);
  PetscErrorCode (*push)(Tape, State x);             /* of number tape->length */
  PetscErrorCode (*get)(Tape, PetscInt i, State *x); /* tape->view, placed, or another state */
  PetscErrorCode (*release)(Tape, PetscInt s);       /* optional: the sweep is done with slot s */
  PetscErrorCode (*range)(Tape, PetscInt *first);
  PetscErrorCode (*memory)(Tape, PetscInt steps, PetscLogDouble *);
  PetscErrorCode (*view)(Tape, PetscViewer);
  PetscErrorCode (*destroy)(Tape);
};

struct _p_Tape {
  PETSCHEADER(struct _TapeOps);
  void *data;
  PetscInt window;
  PetscLogDouble max_ram;
  char dir[PETSC_MAX_PATH_LEN];
  PetscBool direct;
  PetscInt nstate, nlocal;
  PetscInt maxlocal;      /* of the rank with most */
  size_t bytes, maxbytes; /* of a piece as it is kept, and on that rank */
  PetscInt length;        /* states pushed */
  struct {
    PetscInt first, length; /* by TapeExpect(); length -1: unknown */
  } expected;
  TapeAdvanceFn advance;
  void *advancectx;
  TapeCounts counts;
  State view; /* laid over the pieces of the state that is lent */
  State lent; /* NULL: none */
  PetscBool setup;
  PetscBool single;  /* to be laid out for pieces of float */
  PetscScalar *wide; /* is so: the state that is lent is here */
  struct {
    PetscInt state, entry; /* state -1: none */
    PetscReal value;
  } unfit;             /* this rank's first number that a float does not hold */
  PetscBool unchecked; /* something was written since the ranks agreed that there is none */
};

/* The option -tape_max_ram (budget.c), and how many things of so many pieces the budget holds on every rank;
   raises PETSC_ERR_ARG_OUTOFRANGE where that is less than `least` of them. */
PetscErrorCode TapeBudgetFromOptions_Private(Tape tape, PetscOptionItems *PetscOptionsObject);
PetscErrorCode TapeBudgetHolds_Private(Tape tape, PetscInt pieces, PetscInt least, PetscInt *n);

/* Pieces in the precision of the tape (pack.c). How large they are; nstate, nlocal and maxlocal are known. */
PetscErrorCode TapeLayOut_Private(Tape tape);
/* w of state i into a piece; and a piece as vector k of tape->view, until StateUnplace(). */
PetscErrorCode TapeWritePiece_Private(Tape tape, PetscInt i, Vec w, void *piece);
PetscErrorCode TapePlacePiece_Private(Tape tape, PetscInt k, void *piece);
/* Raises PETSC_ERR_ARG_OUTOFRANGE on all ranks where what was written does not fit on one. */
PetscErrorCode TapeCheckFit_Private(Tape tape);
/* Memory of the state that is lent, where it is not that of its pieces. */
PetscLogDouble TapeWideBytes_Private(Tape tape);

/* What push and get are where a type has none: its own may begin or end with them. */
PetscErrorCode TapePushPieces_Private(Tape tape, State x);
PetscErrorCode TapeGetPieces_Private(Tape tape, PetscInt i, State *x);

PetscErrorCode TapeCreate_Disk(Tape tape);
PetscErrorCode TapeCreate_Memory(Tape tape);
PetscErrorCode TapeCreate_Poison(Tape tape);
PetscErrorCode TapeCreate_Revolve(Tape tape);
PetscErrorCode TapeCreate_Ring(Tape tape);

#endif
