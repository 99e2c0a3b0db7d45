#ifndef TWOFOLD_STATE_H
#define TWOFOLD_STATE_H
/* State: what a fixed-point map acts on, a small tuple of vectors of w's layout: (w), or (w, w_prev). All
   functions are collective on the vectors. */
#include <petscvec.h>

#if defined(__cplusplus)
extern "C" {
#endif

#define STATE_MAX 4

typedef struct _State *State;
struct _State {
  PetscInt n; /* vectors in use; v[0] is w */
  Vec v[STATE_MAX];
};

/* New state of n zero vectors laid out as `like`. */
PetscErrorCode StateCreate(Vec like, PetscInt n, State *x);
/* New state whose vectors are references to those of a history: v[k] = from->v[min(k, from->n - 1)]. At a
   fixed point (w, w, ...) it is the point of any map, whatever its own number of vectors. */
PetscErrorCode StateCreateReference(State from, PetscInt n, State *x);
PetscErrorCode StateDestroy(State *x);

PetscErrorCode StateCopy(State x, State y);
PetscErrorCode StateZero(State x);
PetscErrorCode StateAYPX(State y, PetscScalar a, State x); /* y = x + a y */
PetscErrorCode StateDot(State x, State y, PetscScalar *dot);
PetscErrorCode StateNorm(State x, PetscReal *norm);

/* A flat vector is the concatenation of a state's local pieces: what a KSP works on. */
PetscErrorCode StateCreateFlat(State like, Vec *flat);
/* State without memory of its own, to be laid over flat vectors. */
PetscErrorCode StateCreateView(State like, State *view);
/* Lays the view over n consecutive local pieces. Nothing is copied. */
PetscErrorCode StatePlace(State view, const PetscScalar pieces[]);
PetscErrorCode StateUnplace(State view);

#if defined(__cplusplus)
}
#endif
#endif
