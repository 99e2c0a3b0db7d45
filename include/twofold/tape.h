#ifndef TWOFOLD_TAPE_H
#define TWOFOLD_TAPE_H
/**
 * @file
 * Tape: the iterates of a lower-level solve, kept by each rank for its own piece of w, without communication.
 * One w a step: a state (w_i, w_{i-1}, ...) is rebuilt from as many steps as it has vectors.
 *
 * TapePush() records state after state; a reverse sweep reads them by TapeGetState() and TapeRestoreState().
 */
#include <twofold/state.h>
#include <petscviewer.h>

#if defined(__cplusplus)
extern "C" {
#endif

/** A tape; a PETSc object, freed by TapeDestroy(). */
typedef struct _p_Tape *Tape;
/** Name of a type of tape. */
typedef const char *TapeType;
#define TAPEMEMORY "memory" /**< all states, in memory */
#define TAPERING   "ring"   /**< the last K states */
#define TAPEPOISON "poison" /**< as memory, but NaN-fills what was released: for tests */

/**
 * Makes a tape.
 *
 * @collective
 *
 * @param[in]     comm  communicator
 * @param[out]    tape  the tape, the caller's: TapeDestroy()
 */
PetscErrorCode TapeCreate(MPI_Comm comm, Tape *tape);

/**
 * Drops a reference to a tape, and frees it with the last one.
 *
 * @collective
 *
 * @param[in,out] tape  the tape, NULL on return; NULL: nothing happens
 */
PetscErrorCode TapeDestroy(Tape *tape);

/**
 * Sets what the names of the tape's options begin with.
 *
 * @logicallycollective
 *
 * @param[in]     tape    the tape
 * @param[in]     prefix  without the hyphen; copied
 */
PetscErrorCode TapeSetOptionsPrefix(Tape tape, const char prefix[]);

/**
 * Sets the type. Default: `memory`.
 *
 * @logicallycollective
 *
 * @param[in]     tape  the tape
 * @param[in]     type  `memory`, `ring`, `poison`, or one of TapeRegister()
 *
 * @raises PETSC_ERR_ARG_UNKNOWN_TYPE there is no such type; the message names the closest
 * @option{-tape_type T}
 */
PetscErrorCode TapeSetType(Tape tape, TapeType type);

/**
 * Sets how many states a `ring` keeps. Default: 10.
 *
 * @logicallycollective
 *
 * @param[in]     tape    the tape
 * @param[in]     window  number of states, at least 1
 *
 * @raises PETSC_ERR_ARG_OUTOFRANGE the window is not positive
 * @option{-tape_window K}
 */
PetscErrorCode TapeSetWindow(Tape tape, PetscInt window);

/**
 * Takes the type, and the window of a ring, from the options.
 *
 * @collective
 *
 * @param[in]     tape  the tape
 *
 * @raises PETSC_ERR_ARG_UNKNOWN_TYPE as TapeSetType()
 * @raises PETSC_ERR_ARG_OUTOFRANGE as TapeSetWindow()
 */
PetscErrorCode TapeSetFromOptions(Tape tape);

/**
 * Lays the tape out for states of a kind. It is empty then. Nothing happens where it is laid out already:
 * TapeSetType() and TapeSetWindow() make it be laid out anew.
 *
 * @collective
 *
 * @param[in]     tape  the tape
 * @param[in]     like  a state of the kind to come: number and layout of its vectors count; not kept
 */
PetscErrorCode TapeSetUp(Tape tape, State like);

/**
 * Prints the type, and the window of a ring.
 *
 * @collective
 *
 * @param[in]     tape    the tape
 * @param[in]     viewer  ASCII viewer, to others nothing is printed; NULL: standard output
 *
 * @option{-tape_view}
 */
PetscErrorCode TapeView(Tape tape, PetscViewer viewer);

/**
 * Forgets what was recorded; memory is kept for the next recording.
 *
 * @notcollective
 *
 * @param[in]     tape  the tape
 */
PetscErrorCode TapeRewind(Tape tape);

/**
 * Records the next state.
 *
 * @notcollective
 *
 * @param[in]     tape  the tape, set up
 * @param[in]     x     the state; of all but the first only `v[0]` is copied, the rest is known from before
 */
PetscErrorCode TapePush(Tape tape, State x);

/**
 * Gives the number of states pushed, and the first that can still be read.
 *
 * @notcollective
 *
 * @param[in]     tape    the tape
 * @param[out]    first   0, or for a ring `max(0, length - window)`; may be NULL
 * @param[out]    length  states pushed since the last TapeRewind(); may be NULL
 */
PetscErrorCode TapeGetRange(Tape tape, PetscInt *first, PetscInt *length);

/**
 * Borrows state i for reading; give it back before the next.
 *
 * A reverse sweep reads i = length - 1, ..., first, each once.
 *
 * @notcollective
 *
 * @param[in]     tape  the tape
 * @param[in]     i     number of the state, from 0
 * @param[out]    x     the state, borrowed until TapeRestoreState()
 *
 * @raises PETSC_ERR_ARG_OUTOFRANGE the state is not kept
 * @raises PETSC_ERR_ARG_WRONGSTATE the last state has not been given back
 */
PetscErrorCode TapeGetState(Tape tape, PetscInt i, State *x);

/**
 * Gives back the state of TapeGetState(); its own w (`v[0]`) is released and must not be read again.
 *
 * @notcollective
 *
 * @param[in]     tape  the tape
 * @param[in]     i     number of the state, as for TapeGetState()
 * @param[in,out] x     the state, NULL on return
 */
PetscErrorCode TapeRestoreState(Tape tape, PetscInt i, State *x);

/**
 * Gives the bytes this rank needs for a solve of `steps` steps.
 *
 * @notcollective
 *
 * @param[in]     tape   the tape, set up
 * @param[in]     steps  number of steps
 * @param[out]    bytes  memory of the states kept, bytes
 */
PetscErrorCode TapeGetMemory(Tape tape, PetscInt steps, PetscLogDouble *bytes);

/**
 * Adds a type of tape.
 *
 * @notcollective
 *
 * @param[in]     type    its name; copied
 * @param[in]     create  fills the table of operations and the data of a tape that becomes of this type
 */
PetscErrorCode TapeRegister(const char type[], PetscErrorCode (*create)(Tape));

/**
 * Gives the names of all registered types.
 *
 * @notcollective
 *
 * @param[out]    n      their number
 * @param[out]    types  their names; free the array (not the names) with PetscFree()
 */
PetscErrorCode TapeGetRegistered(PetscInt *n, const char ***types);

#if defined(__cplusplus)
}
#endif
#endif
