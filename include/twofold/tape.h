#ifndef TWOFOLD_TAPE_H
#define TWOFOLD_TAPE_H
/* Tape: the iterates of a lower-level solve, kept by each rank for its own piece of w, without communication.
   One w a step: a state (w_i, w_{i-1}, ...) is rebuilt from as many steps as it has vectors. */
#include <twofold/state.h>
#include <petscviewer.h>

#if defined(__cplusplus)
extern "C" {
#endif

typedef struct _p_Tape *Tape;
typedef const char *TapeType;
#define TAPEMEMORY "memory" /* all states, in memory */
#define TAPERING   "ring"   /* the last K states */
#define TAPEPOISON "poison" /* as memory, but NaN-fills what was released: for tests */

PetscErrorCode TapeCreate(MPI_Comm comm, Tape *tape);
PetscErrorCode TapeDestroy(Tape *tape);
PetscErrorCode TapeSetOptionsPrefix(Tape tape, const char prefix[]);
/* Option -tape_type. Logically collective. */
PetscErrorCode TapeSetType(Tape tape, TapeType type);
/* States a `ring` keeps: option -tape_window. Logically collective. */
PetscErrorCode TapeSetWindow(Tape tape, PetscInt window);
PetscErrorCode TapeSetFromOptions(Tape tape);
PetscErrorCode TapeSetUp(Tape tape, State like);
PetscErrorCode TapeView(Tape tape, PetscViewer viewer);

/* Forgets what was recorded; memory is kept for the next recording. */
PetscErrorCode TapeRewind(Tape tape);
/* Records the next state. Not collective. */
PetscErrorCode TapePush(Tape tape, State x);
/* Number of states pushed, and the first that can still be read. */
PetscErrorCode TapeGetRange(Tape tape, PetscInt *first, PetscInt *length);
/* Borrows state i for reading; give it back before the next. A reverse sweep reads i = length - 1, ...,
   first, each once. Raises PETSC_ERR_ARG_OUTOFRANGE for a state that is not kept. Not collective. */
PetscErrorCode TapeGetState(Tape tape, PetscInt i, State *x);
PetscErrorCode TapeRestoreState(Tape tape, PetscInt i, State *x);

/* Bytes this rank needs for a solve of `steps` steps. Not collective. */
PetscErrorCode TapeGetMemory(Tape tape, PetscInt steps, PetscLogDouble *bytes);

PetscErrorCode TapeRegister(const char type[], PetscErrorCode (*create)(Tape));
/* Names of all registered types; free the array (not the names) with PetscFree(). Not collective. */
PetscErrorCode TapeGetRegistered(PetscInt *n, const char ***types);

#if defined(__cplusplus)
}
#endif
#endif
