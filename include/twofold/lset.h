#ifndef TWOFOLD_LSET_H
#define TWOFOLD_LSET_H
/* LSET: the set Lambda of the upper level, closed and convex: projection onto it and membership. */
#include <petscis.h>
#include <twofold/sys.h>

#if defined(__cplusplus)
extern "C" {
#endif

typedef struct _p_LSET *LSET;
typedef const char *LSETType;
#define LSETFREE    "free"    /* all of the space */
#define LSETBOX     "box"     /* lower <= x <= upper, entry by entry */
#define LSETNONNEG  "nonneg"  /* x >= 0 */
#define LSETSIMPLEX "simplex" /* x >= 0, sum of x = radius */
#define LSETL2BALL  "l2ball"  /* ||x - center|| <= radius */
#define LSETPRODUCT "product" /* a set for each of some disjoint index sets, the other entries free */

/**
 * Makes a set; without a type it becomes free when it is set up.
 *
 * @collective
 *
 * @param[in]     comm    communicator of the vectors to be projected
 * @param[out]    lset    the set
 */
PetscErrorCode LSETCreate(MPI_Comm comm, LSET *lset);

/**
 * Drops a reference; the last one frees the set. NULL is accepted, and the handle is cleared.
 *
 * @collective
 *
 * @param[in,out] lset    the set
 */
PetscErrorCode LSETDestroy(LSET *lset);

/**
 * Sets what stands before `lset_` in the names of the set's options.
 *
 * @logicallycollective
 *
 * @param[in]     lset    the set
 * @param[in]     prefix  the owner's prefix, or NULL
 */
PetscErrorCode LSETSetOptionsPrefix(LSET lset, const char prefix[]);

/**
 * Sets the kind of set; what belonged to another type (bounds, center, parts) is dropped.
 *
 * @logicallycollective
 *
 * @param[in]     lset    the set
 * @param[in]     type    LSETFREE, LSETBOX, ... or a registered name
 *
 * @raises{PETSC_ERR_ARG_UNKNOWN_TYPE, the type is not registered}
 * @option{-lset_type T}
 */
PetscErrorCode LSETSetType(LSET lset, LSETType type);

/**
 * Gives the kind of set, NULL where none was chosen yet.
 *
 * @notcollective
 *
 * @param[in]     lset    the set
 * @param[out]    type    its name
 */
PetscErrorCode LSETGetType(LSET lset, LSETType *type);

/**
 * Reads the options of the set and of its type. Parts of a product read their own where their owner asks.
 *
 * @collective
 *
 * @param[in]     lset    the set
 *
 * @raises{PETSC_ERR_ARG_OUTOFRANGE, a value does not describe a set}
 * @option{-lset_type T}
 * @option{-lset_view}
 */
PetscErrorCode LSETSetFromOptions(LSET lset);

/**
 * Checks that the set is one of vectors laid out as the template, and prepares projections of these.
 * Nothing happens where it is set up for that layout; for another one it is set up again. The functions
 * below that take a vector call it where the set is not set up yet.
 *
 * @collective
 *
 * @param[in]     lset    the set
 * @param[in]     layout  a vector of the space; its entries do not matter
 *
 * @raises{PETSC_ERR_ARG_SIZ, bounds or center have another layout, or a simplex has no entries}
 * @raises{PETSC_ERR_ARG_OUTOFRANGE, the set is empty: names the first entry with lower > upper and both}
 * @raises{PETSC_ERR_ARG_WRONGSTATE, a box has no bounds or a product no parts}
 * @raises{PETSC_ERR_ARG_INCOMP, parts of a product overlap: names the entry and the parts}
 * @raises{PETSC_ERR_ARG_OUTOFRANGE, a part of a product names an entry the vector does not have}
 * @raises{PETSC_ERR_ARG_NOTSAMECOMM, the vector is not on the ranks of the set}
 */
PetscErrorCode LSETSetUp(LSET lset, Vec layout);

/**
 * Prints the set.
 *
 * @collective
 *
 * @param[in]     lset    the set
 * @param[in]     viewer  where to, NULL for standard output
 *
 * @option{-lset_view}
 */
PetscErrorCode LSETView(LSET lset, PetscViewer viewer);

/**
 * Projects in place: x <- the point of the set nearest to x in the Euclidean norm.
 *
 * Entries that are not finite never raise and give the same kind of answer on every rank. NaN stays NaN:
 * alone where the set is a box (free, nonneg), as all entries where they depend on one another (simplex,
 * l2ball). A box takes an infinite entry to its bound, a simplex takes -inf to 0; where the projection of an
 * infinite vector is not defined (+inf in a simplex, any infinity outside a ball) all entries become NaN.
 *
 * @collective
 *
 * @param[in]     lset    the set
 * @param[in,out] x       the vector
 *
 * @raises{PETSC_ERR_ARG_SIZ, x is not laid out as the set was set up for}
 * @equation{P(x) = argmin_{z in Lambda} ||z - x||}
 */
PetscErrorCode LSETProject(LSET lset, Vec x);

/**
 * Computes the distance of a vector to the set without overflow or underflow of the squares.
 *
 * @collective
 *
 * @param[in]     lset      the set
 * @param[in]     x         the vector
 * @param[out]    distance  ||x - P(x)||; NaN where x has one
 *
 * @raises{PETSC_ERR_ARG_SIZ, x is not laid out as the set was set up for}
 */
PetscErrorCode LSETDistance(LSET lset, Vec x, PetscReal *distance);

/**
 * Tells whether a vector is in the set: whether ||x - P(x)|| <= tol. A vector with a NaN never is. A
 * projected vector passes tol = 0 exactly for boxes; for simplex and l2ball only up to rounding of its own
 * size.
 *
 * @collective
 *
 * @param[in]     lset    the set
 * @param[in]     x       the vector
 * @param[in]     tol     tolerance on the distance, >= 0
 * @param[out]    in      true on every rank or on none
 *
 * @raises{PETSC_ERR_ARG_OUTOFRANGE, tol is negative or NaN}
 * @raises{PETSC_ERR_ARG_SIZ, x is not laid out as the set was set up for}
 */
PetscErrorCode LSETContains(LSET lset, Vec x, PetscReal tol, PetscBool *in);

/**
 * Gives bounds that describe the set exactly, where it is a box: free, box, nonneg and products of these.
 * What is not bounded gets PETSC_NINFINITY and PETSC_INFINITY, which are finite numbers, as Tao has it.
 *
 * @collective
 *
 * @param[in]     lset    the set
 * @param[out]    lower   lower bounds; NULL (then upper too) to ask only whether there are bounds
 * @param[out]    upper   upper bounds
 * @param[out]    has     whether the set is a box; else the vectors are left as they are
 *
 * @raises{PETSC_ERR_ARG_SIZ, a vector is not laid out as the set was set up for}
 */
PetscErrorCode LSETGetBounds(LSET lset, Vec lower, Vec upper, PetscBool *has);

/**
 * Computes the norm of the projected gradient, 0 exactly at points that are stationary on the set. Entries
 * that the projection leaves alone count with g itself, free of the rounding of x - (x - g).
 *
 * @collective
 *
 * @param[in]     lset    the set
 * @param[in]     x       a point, normally of the set
 * @param[in]     g       gradient at x
 * @param[out]    norm    ||x - P(x - g)||
 *
 * @raises{PETSC_ERR_ARG_SIZ, a vector is not laid out as the set was set up for}
 */
PetscErrorCode LSETProjectedGradientNorm(LSET lset, Vec x, Vec g, PetscReal *norm);

/**
 * Sets one lower and one upper bound for all entries of a box; vectors of bounds set before are dropped.
 * As in PETSc, a bound beyond PETSC_NINFINITY or PETSC_INFINITY (about 4.5e307) is none, and so is one of
 * -INFINITY or INFINITY; entries of a projected vector beyond these are then left as they are.
 *
 * @logicallycollective
 *
 * @param[in]     lset    the set, of type box
 * @param[in]     lower   lower bound, -INFINITY for none
 * @param[in]     upper   upper bound, INFINITY for none
 *
 * @raises{PETSC_ERR_ARG_WRONG, the set is not a box}
 * @raises{PETSC_ERR_ARG_OUTOFRANGE, lower > upper or one is NaN}
 * @option{-lset_lower L}
 * @option{-lset_upper U}
 */
PetscErrorCode LSETBoxSetConstants(LSET lset, PetscReal lower, PetscReal upper);

/**
 * Sets bounds of a box entry by entry; they are copied, and checked when the set is set up. Infinite bounds
 * as in LSETBoxSetConstants().
 *
 * @collective
 *
 * @param[in]     lset    the set, of type box
 * @param[in]     lower   lower bounds, NULL to keep the ones there are
 * @param[in]     upper   upper bounds, NULL to keep the ones there are
 *
 * @raises{PETSC_ERR_ARG_WRONG, the set is not a box}
 */
PetscErrorCode LSETBoxSetBounds(LSET lset, Vec lower, Vec upper);

/**
 * Sets the radius of a simplex (the sum of its entries) or of a ball; 1 at the start.
 *
 * @logicallycollective
 *
 * @param[in]     lset    the set
 * @param[in]     radius  positive and finite
 *
 * @raises{PETSC_ERR_ARG_OUTOFRANGE, the radius is not positive and finite}
 * @option{-lset_radius R}
 */
PetscErrorCode LSETSetRadius(LSET lset, PetscReal radius);

/**
 * Gives the radius of a simplex or of a ball.
 *
 * @notcollective
 *
 * @param[in]     lset    the set
 * @param[out]    radius  its radius
 */
PetscErrorCode LSETGetRadius(LSET lset, PetscReal *radius);

/**
 * Sets the center of a ball, which is 0 at the start; it is copied.
 *
 * @collective
 *
 * @param[in]     lset    the set, of type l2ball
 * @param[in]     center  the center, NULL for 0
 *
 * @raises{PETSC_ERR_ARG_WRONG, the set is not a ball}
 */
PetscErrorCode LSETL2BallSetCenter(LSET lset, Vec center);

/**
 * Adds a part to a product: the entries of an index set form a vector, in that order, that is in the part.
 * Each rank names any entries, also those of other ranks; it then has them in the part's vector. Entries in
 * no part are free. Only references are kept. One set may be the part of several index sets.
 *
 * @collective
 *
 * @param[in]     lset    the set, of type product
 * @param[in]     is      global numbers of entries, on the set's communicator (or a congruent one)
 * @param[in]     part    the set of these entries, on the set's communicator too
 *
 * @raises{PETSC_ERR_ARG_WRONG, the set is not a product, or is its own part}
 * @raises{PETSC_ERR_ARG_NOTSAMECOMM, index set or part are on other ranks}
 */
PetscErrorCode LSETProductAdd(LSET lset, IS is, LSET part);

/**
 * Adds a type of sets.
 *
 * @notcollective
 *
 * @param[in]     type    its name
 * @param[in]     create  fills the table of ops (twofold/impl/lsetimpl.h) of a set
 */
PetscErrorCode LSETRegister(const char type[], PetscErrorCode (*create)(LSET));

/**
 * Gives the names of all registered types.
 *
 * @notcollective
 *
 * @param[out]    n       number of types
 * @param[out]    types   their names; free the array (not the names) with PetscFree()
 */
PetscErrorCode LSETGetRegistered(PetscInt *n, const char ***types);

#if defined(__cplusplus)
}
#endif
#endif
