#ifndef TWOFOLD_BLPUSER_H
#define TWOFOLD_BLPUSER_H
/* BLPUSER: a problem by callbacks, for programs that bring their own E and lower level. BLPSetType(blp,
   BLPUSER), then the sizes, E, and the lower level as a loss or as a map (or both); a part that is not given
   is named by the first call that needs it. BLPTestDerivatives() checks what was given.

   Every callback gets the point (lambda, w) explicitly, reads its input vectors and overwrites its output
   vectors, on all ranks of the problem's communicator. A code other than 0 that it returns is passed on. */
#include <twofold/blp.h>

#if defined(__cplusplus)
extern "C" {
#endif

/** E(w, lambda), and where not NULL its gradients g1 = grad1 E (w's layout) and g2 = grad2 E (lambda's
   layout): both come filled with zeros, so that an E that does not depend on lambda leaves g2 alone. */
typedef PetscErrorCode (*BLPUserUpperFn)(BLP blp, Vec lambda, Vec w, PetscReal *E, Vec g1, Vec g2, void *ctx);
/** g = grad_w l(w, lambda), and l where not NULL. A lower level that has no l of its own leaves it alone. */
typedef PetscErrorCode (*BLPUserGradientFn)(BLP blp, Vec lambda, Vec w, PetscReal *l, Vec g, void *ctx);
/** y = Phi(w, lambda). */
typedef PetscErrorCode (*BLPUserMapFn)(BLP blp, Vec lambda, Vec w, Vec y, void *ctx);
/** Product of a derivative at (lambda, w): y = A(lambda, w) v. */
typedef PetscErrorCode (*BLPUserProductFn)(BLP blp, Vec lambda, Vec w, Vec v, Vec y, void *ctx);
/** Called once when products at (lambda, w) are about to be asked for: the place to compute what they share.
 */
typedef PetscErrorCode (*BLPUserLinearizeFn)(BLP blp, Vec lambda, Vec w, void *ctx);
/** A constant at lambda; NaN where it is not known there. */
typedef PetscErrorCode (*BLPUserConstantFn)(BLP blp, Vec lambda, PetscReal *value, void *ctx);
/** Loss and accuracy on a set of samples. */
typedef PetscErrorCode (*BLPUserEvaluateFn)(BLP blp, BLPSet set, Vec lambda, Vec w, BLPMetrics *metrics,
                                            void *ctx);

/**
 * Gives the layouts of the two spaces by example: vectors of the problem are duplicates of these.
 *
 * @logicallycollective
 *
 * @param[in] blp    a problem of type BLPUSER
 * @param[in] lambda any vector of lambda's space; a reference is kept
 * @param[in] w      any vector of w's space; a reference is kept
 */
PetscErrorCode BLPUserSetVecs(BLP blp, Vec lambda, Vec w);
/**
 * Gives the sizes of the two spaces instead of BLPUserSetVecs().
 *
 * @logicallycollective
 *
 * @param[in] blp           a problem of type BLPUSER
 * @param[in] nlambda_local this rank's entries of lambda, or PETSC_DECIDE
 * @param[in] nlambda       all entries of lambda, or PETSC_DETERMINE
 * @param[in] nw_local      this rank's entries of w, or PETSC_DECIDE
 * @param[in] nw            all entries of w, or PETSC_DETERMINE
 */
PetscErrorCode BLPUserSetSizes(BLP blp, PetscInt nlambda_local, PetscInt nlambda, PetscInt nw_local,
                               PetscInt nw);
/**
 * Sets what every callback gets as ctx.
 *
 * @logicallycollective
 *
 * @param[in] blp     a problem of type BLPUSER
 * @param[in] ctx     anything
 * @param[in] destroy called with ctx when the problem is destroyed or gets another context; may be NULL
 */
PetscErrorCode BLPUserSetContext(BLP blp, void *ctx, PetscErrorCode (*destroy)(void *ctx));
/**
 * Returns the context.
 *
 * @notcollective
 *
 * @param[in]  blp a problem of type BLPUSER
 * @param[out] ctx address of a pointer, which gets the context
 */
PetscErrorCode BLPUserGetContext(BLP blp, void *ctx);
/**
 * Sets the upper level: E and its gradients.
 *
 * @logicallycollective
 *
 * @param[in] blp   a problem of type BLPUSER
 * @param[in] upper E, grad1 E, grad2 E
 */
PetscErrorCode BLPUserSetUpper(BLP blp, BLPUserUpperFn upper);
/**
 * Sets the lower level as a loss, w(lambda) = argmin_w l(w, lambda). Maps gd, heavyball and nesterov are made
 * from it.
 *
 * @logicallycollective
 *
 * @param[in] blp            a problem of type BLPUSER
 * @param[in] gradient       grad_w l
 * @param[in] hessian        y = grad^2_ww l v; may be NULL where no hypergradient is asked for
 * @param[in] cross          y = (d/dlambda grad_w l) v, from lambda's space to w's; may be NULL:
 * hypergradients do without, the test of derivatives does more with it
 * @param[in] crosstranspose y = (d/dlambda grad_w l)^T v, from w's space to lambda's; may be NULL likewise to
 *                           hessian
 *
 * @equation{Phi(w, lambda) = w - alpha grad_w l(w, lambda)}
 */
PetscErrorCode BLPUserSetLoss(BLP blp, BLPUserGradientFn gradient, BLPUserProductFn hessian,
                              BLPUserProductFn cross, BLPUserProductFn crosstranspose);
/**
 * Sets the lower level as a map, w(lambda) = Phi(w(lambda), lambda): FPM type `problem`.
 *
 * @logicallycollective
 *
 * @param[in] blp          a problem of type BLPUSER
 * @param[in] apply        y = Phi(w, lambda)
 * @param[in] jvp          y = d1Phi v; may be NULL: needed by normal equations (cgne, lsqr) alone
 * @param[in] vjp          y = d1Phi^T v; may be NULL where no hypergradient is asked for
 * @param[in] parameterjvp y = d2Phi v, from lambda's space to w's; may be NULL
 * @param[in] parametervjp y = d2Phi^T v, from w's space to lambda's; may be NULL likewise to vjp
 * @param[in] symmetric    whether d1Phi is symmetric: jvp and vjp are then one, and either may be NULL
 */
PetscErrorCode BLPUserSetMap(BLP blp, BLPUserMapFn apply, BLPUserProductFn jvp, BLPUserProductFn vjp,
                             BLPUserProductFn parameterjvp, BLPUserProductFn parametervjp,
                             PetscBool symmetric);
/**
 * Sets what is called once per point before products of second derivatives (of the loss), or of d1Phi and
 * d2Phi (of the map). Values of E, l and Phi at other points may be asked for in between.
 *
 * @logicallycollective
 *
 * @param[in] blp  a problem of type BLPUSER
 * @param[in] loss for the loss, or NULL
 * @param[in] map  for the map, or NULL
 */
PetscErrorCode BLPUserSetLinearize(BLP blp, BLPUserLinearizeFn loss, BLPUserLinearizeFn map);
/**
 * Gives constants that hold for every lambda. They are believed, not checked (TWOFOLD_USER).
 *
 * @logicallycollective
 *
 * @param[in] blp a problem of type BLPUSER
 * @param[in] mu  grad^2_ww l >= mu I, not negative; PETSC_DEFAULT: not known
 * @param[in] L   grad^2_ww l <= L I, positive, at least mu; PETSC_DEFAULT: not known
 * @param[in] q   ||d1Phi|| <= q of the map, not negative; PETSC_DEFAULT: not known
 *
 * @raises{PETSC_ERR_ARG_OUTOFRANGE, a constant is out of its range}
 */
PetscErrorCode BLPUserSetConstants(BLP blp, PetscReal mu, PetscReal L, PetscReal q);
/**
 * Gives the same constants as functions of lambda, which go before the numbers.
 *
 * @logicallycollective
 *
 * @param[in] blp a problem of type BLPUSER
 * @param[in] mu  or NULL
 * @param[in] L   or NULL
 * @param[in] q   or NULL
 */
PetscErrorCode BLPUserSetConstantFunctions(BLP blp, BLPUserConstantFn mu, BLPUserConstantFn L,
                                           BLPUserConstantFn q);
/**
 * Sets what BLPEvaluate() does, and on which sets. Without it the problem has none.
 *
 * @logicallycollective
 *
 * @param[in] blp      a problem of type BLPUSER
 * @param[in] evaluate loss and accuracy
 * @param[in] train    whether there are training samples
 * @param[in] val      whether there are validation samples
 * @param[in] test     whether there are test samples
 */
PetscErrorCode BLPUserSetEvaluate(BLP blp, BLPUserEvaluateFn evaluate, PetscBool train, PetscBool val,
                                  PetscBool test);

#if defined(__cplusplus)
}
#endif
#endif
