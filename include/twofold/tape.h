#ifndef TWOFOLD_TAPE_H
#define TWOFOLD_TAPE_H
/**
 * @file
 * Tape: the iterates of a lower-level solve, kept by each rank for its own piece of w, without communication.
 * One w a step: a state (w_i, w_{i-1}, ...) is rebuilt from as many steps as it has vectors.
 *
 * TapePush() records state after state; a reverse sweep reads them by TapeGetState() and TapeRestoreState().
 * A `revolve` keeps some states and makes the others again, by the steps of TapeSetAdvance().
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
#define TAPEMEMORY  "memory"  /**< all states, in memory */
#define TAPERING    "ring"    /**< the last K states */
#define TAPEREVOLVE "revolve" /**< as many states as -tape_max_ram holds; the others are made again */
#define TAPEDISK    "disk"    /**< the newest iterates in memory, the others in a file of each rank's node */
#define TAPEPOISON  "poison"  /**< as memory, but NaN-fills what was released: for tests */

/**
 * Makes state i + 1 of state i, in place, as the solve did that was recorded: bit by bit the same.
 *
 * @collective
 *
 * @param[in]     ctx  of TapeSetAdvance()
 * @param[in]     i    number of the state given
 * @param[in,out] x    state i; state i + 1 on return
 */
typedef PetscErrorCode (*TapeAdvanceFn)(void *ctx, PetscInt i, State x);

/** What a tape did since the last TapeRewind(), and what it holds. */
typedef struct {
  PetscInt64 stored;     /**< states copied to the tape */
  PetscInt64 recomputed; /**< steps made again on the way back */
  PetscInt64 small;      /**< numbers of this rank below 1.2e-38, rounded to multiples of 1.4e-45 (single) */
  PetscLogDouble ram;    /**< memory of this rank's pieces, bytes */
  PetscLogDouble disk;   /**< the same in a file */
} TapeCounts;

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
 * @param[in]     type  `memory`, `ring`, `revolve`, `disk`, `poison`, or one of TapeRegister()
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
 * Sets how much memory a `revolve` or `disk` takes for what it keeps, a rank. Default: 2e9.
 *
 * The rank with most of w decides how many states (revolve) or iterates (disk) that is, for all. One more
 * state of a revolve, which steps are made in, does not count.
 *
 * @logicallycollective
 *
 * @param[in]     tape   the tape
 * @param[in]     bytes  positive; TapeSetUp() tells where it is less than a state
 *
 * @raises PETSC_ERR_ARG_OUTOFRANGE the budget is not positive
 * @option{-tape_max_ram SIZE} a number of bytes, or one with the unit kB, MB, GB or TB (powers of 1000)
 */
PetscErrorCode TapeSetMaxRAM(Tape tape, PetscLogDouble bytes);

/**
 * Sets the folder of the files of a `disk`. Default: what TMPDIR in the environment of each rank says, or
 * /tmp.
 *
 * Each rank makes one file, which has no name any more once it is made.
 *
 * @logicallycollective
 *
 * @param[in]     tape  the tape
 * @param[in]     dir   the folder, on a disk of the node's own where there is one; copied; "": the default
 *
 * @option{-tape_dir D}
 */
PetscErrorCode TapeSetDirectory(Tape tape, const char dir[]);

/**
 * Sets whether a `disk` moves its file past the system's cache (`O_DIRECT`). Default: no.
 *
 * The cache's memory is then left alone, and every byte goes to the disk and comes from it. Iterates take
 * whole pages of memory and of the file.
 *
 * @logicallycollective
 *
 * @param[in]     tape    the tape
 * @param[in]     direct  whether; TapeSetUp() tells where the file system cannot
 *
 * @option{-tape_direct}
 */
PetscErrorCode TapeSetDirect(Tape tape, PetscBool direct);

/**
 * Sets whether iterates are kept in single precision, in half the memory and half the file, and read back as
 * doubles. Default: no. The lower-level solve goes on with what it has, unrounded.
 *
 * Each number changes by at most 6e-8 of it, one below 1.2e-38 by at most 7e-46. A `revolve` makes states
 * again from rounded ones: with a map that contracts by q, all those it gives differ from the solve's by at
 * most 6e-8 / (1 - q). A budget counts the halved bytes; one state in double precision is beside it.
 *
 * @logicallycollective
 *
 * @param[in]     tape    the tape
 * @param[in]     single  whether
 *
 * @option{-tape_single}
 */
PetscErrorCode TapeSetSingle(Tape tape, PetscBool single);

/**
 * Sets the step a `revolve` makes states again with. Other tapes do without.
 *
 * @logicallycollective
 *
 * @param[in]     tape     the tape
 * @param[in]     advance  the step; NULL: none
 * @param[in]     ctx      handed to it; stays the caller's
 */
PetscErrorCode TapeSetAdvance(Tape tape, TapeAdvanceFn advance, void *ctx);

/**
 * Takes the type, and what a type has to set, from the options.
 *
 * @collective
 *
 * @param[in]     tape  the tape
 *
 * @raises PETSC_ERR_ARG_UNKNOWN_TYPE as TapeSetType()
 * @raises PETSC_ERR_ARG_OUTOFRANGE as TapeSetWindow() and TapeSetMaxRAM()
 * @raises PETSC_ERR_USER_INPUT the budget is no number with a unit
 */
PetscErrorCode TapeSetFromOptions(Tape tape);

/**
 * Lays the tape out for states of a kind. It is empty then. Nothing happens where it is laid out already:
 * TapeSetType(), TapeSetWindow(), TapeSetMaxRAM(), TapeSetDirectory(), TapeSetDirect() and TapeSetSingle()
 * make it be laid out anew.
 *
 * @collective
 *
 * @param[in]     tape  the tape
 * @param[in]     like  a state of the kind to come: number and layout of its vectors count; not kept
 *
 * @raises PETSC_ERR_ARG_OUTOFRANGE the budget is too small; the message tells the least one
 * @raises PETSC_ERR_FILE_OPEN the file of a `disk` cannot be made
 * @raises PETSC_ERR_SUP its file system has no way past the cache
 */
PetscErrorCode TapeSetUp(Tape tape, State like);

/**
 * Prints the type, the precision, what bounds it, and of a recording what TapeGetCounts() gives, bytes of the
 * rank with most.
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
 * Forgets what was recorded, what TapeExpect() said, and a state that is lent; memory is kept for the next
 * recording.
 *
 * @notcollective
 *
 * @param[in]     tape  the tape
 */
PetscErrorCode TapeRewind(Tape tape);

/**
 * Tells how many states will be recorded, between TapeRewind() and the first TapePush(): a `revolve` then
 * keeps those with which the least number of steps is made again. Without it, it keeps states at distances
 * that double as it fills up.
 *
 * @logicallycollective
 *
 * @param[in]     tape    the tape
 * @param[in]     first   the first state that will be read
 * @param[in]     length  states that will be pushed, those before `first` included; no more are taken
 *
 * @raises PETSC_ERR_ARG_OUTOFRANGE not 0 <= first <= length
 */
PetscErrorCode TapeExpect(Tape tape, PetscInt first, PetscInt length);

/**
 * Records the next state.
 *
 * @collective
 *
 * @param[in]     tape  the tape, set up
 * @param[in]     x     the state; of all but the first only `v[0]` is copied, the rest is known from before
 *
 * @raises PETSC_ERR_ARG_OUTOFRANGE TapeExpect() said that there are fewer
 * @raises PETSC_ERR_ARG_WRONGSTATE a `disk` has been read since TapeRewind()
 * @raises PETSC_ERR_FILE_WRITE the file of a `disk` cannot be written, as where the disk is full
 */
PetscErrorCode TapePush(Tape tape, State x);

/**
 * Gives the number of states pushed, and the first that can still be read.
 *
 * @notcollective
 *
 * @param[in]     tape    the tape
 * @param[out]    first   0, for a ring `max(0, length - window)`, for a revolve that of TapeExpect(); may be
 * NULL
 * @param[out]    length  states pushed since the last TapeRewind(); may be NULL
 */
PetscErrorCode TapeGetRange(Tape tape, PetscInt *first, PetscInt *length);

/**
 * Borrows state i for reading; give it back before the next.
 *
 * A reverse sweep reads i = length - 1, ..., first, each once.
 *
 * @collective
 *
 * @param[in]     tape  the tape
 * @param[in]     i     number of the state, from 0
 * @param[out]    x     the state, borrowed until TapeRestoreState()
 *
 * @raises PETSC_ERR_ARG_OUTOFRANGE the state is not kept, or a `disk` has released it; or a number of a state
 * on the tape is too large for single precision
 * @raises PETSC_ERR_FILE_WRITE, PETSC_ERR_FILE_READ the file of a `disk` failed
 * @raises PETSC_ERR_ARG_WRONGSTATE the last state has not been given back, or there is no TapeSetAdvance()
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
 * Gives what the tape did since TapeRewind(), and what it holds.
 *
 * @notcollective
 *
 * @param[in]     tape    the tape
 * @param[out]    counts  the numbers; bytes are this rank's
 */
PetscErrorCode TapeGetCounts(Tape tape, TapeCounts *counts);

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
