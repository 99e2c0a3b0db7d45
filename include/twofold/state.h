#ifndef TWOFOLD_STATE_H
#define TWOFOLD_STATE_H
/**
 * @file
 * State: what a fixed-point map acts on, a small tuple of vectors of w's layout: (w), or (w, w_prev).
 *
 * All functions are collective on the vectors. A state is no PETSc object: it has no reference count.
 */
#include <petscvec.h>

#if defined(__cplusplus)
extern "C" {
#endif

/** Largest number of vectors of a state. */
#define STATE_MAX 4

/** Handle of a state. */
typedef struct _State *State;
/** A tuple of vectors that are all laid out alike. */
struct _State {
  PetscInt n;       /**< vectors in use, 1 .. STATE_MAX */
  Vec v[STATE_MAX]; /**< the vectors; v[0] is w */
};

/**
 * Makes a state of n zero vectors.
 *
 * @collective
 *
 * @param[in]     like    the layout of each vector
 * @param[in]     n       number of vectors, 1 .. STATE_MAX
 * @param[out]    x       new state; free with StateDestroy()
 *
 * @raises PETSC_ERR_ARG_OUTOFRANGE n is not in its range
 */
PetscErrorCode StateCreate(Vec like, PetscInt n, State *x);
/**
 * Makes a state whose vectors are references to those of a history.
 *
 * At a fixed point (w, w, ...) it is the point of any map, whatever its own number of vectors.
 *
 * @collective
 *
 * @param[in]     from    the history
 * @param[in]     n       number of vectors, 1 .. STATE_MAX
 * @param[out]    x       new state, which shares memory with `from`; free with StateDestroy()
 *
 * @equation{v[k] = from->v[min(k\, from->n - 1)]}
 */
PetscErrorCode StateCreateReference(State from, PetscInt n, State *x);
/**
 * Frees a state and drops its references to the vectors.
 *
 * @collective
 *
 * @param[in,out] x       the state, NULL afterwards; a state of NULL is accepted
 */
PetscErrorCode StateDestroy(State *x);

/**
 * Copies the vectors: y = x.
 *
 * @collective
 *
 * @param[in]     x       a state
 * @param[in,out] y       another of the same layout, with as many vectors at least; more are left alone
 */
PetscErrorCode StateCopy(State x, State y);
/**
 * Sets all vectors to zero.
 *
 * @collective
 *
 * @param[in,out] x       the state
 */
PetscErrorCode StateZero(State x);
/**
 * Scales a state and adds another one: y = x + a y.
 *
 * @collective
 *
 * @param[in,out] y       the state that is changed
 * @param[in]     a       its factor
 * @param[in]     x       the state that is added, with as many vectors at least
 */
PetscErrorCode StateAYPX(State y, PetscScalar a, State x);
/**
 * Computes the inner product of two states, the sum over their vectors.
 *
 * @collective
 *
 * @param[in]     x       a state
 * @param[in]     y       another, with as many vectors at least
 * @param[out]    dot     the same on every rank
 *
 * @equation{dot = sum_k <x_k\, y_k>}
 */
PetscErrorCode StateDot(State x, State y, PetscScalar *dot);
/**
 * Computes the Euclidean norm of a state, over all its vectors.
 *
 * @collective
 *
 * @param[in]     x       the state
 * @param[out]    norm    the same on every rank
 *
 * @equation{norm = sqrt(sum_k ||x_k||^2)}
 */
PetscErrorCode StateNorm(State x, PetscReal *norm);

/**
 * Makes a flat vector, the concatenation of a state's local pieces: what a KSP works on.
 *
 * @collective
 *
 * @param[in]     like    the state to be laid out; its values are not copied
 * @param[out]    flat    new vector, n times as long as one of the state's n; free with VecDestroy()
 */
PetscErrorCode StateCreateFlat(State like, Vec *flat);
/**
 * Makes a state without memory of its own, to be laid over flat vectors.
 *
 * @collective
 *
 * @param[in]     like    its layout
 * @param[out]    view    new state, usable between StatePlace() and StateUnplace(); free with StateDestroy()
 */
PetscErrorCode StateCreateView(State like, State *view);
/**
 * Lays a view over n consecutive local pieces; nothing is copied.
 *
 * @collective
 *
 * @param[in,out] view    state of StateCreateView(), with nothing placed
 * @param[in]     pieces  this rank's array of a flat vector, which must stay until StateUnplace()
 */
PetscErrorCode StatePlace(State view, const PetscScalar pieces[]);
/**
 * Takes a view off the pieces again.
 *
 * @collective
 *
 * @param[in,out] view    the view, after StatePlace()
 */
PetscErrorCode StateUnplace(State view);

#if defined(__cplusplus)
}
#endif
#endif
